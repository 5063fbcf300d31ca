import { nearestWord } from '../ima/policy/nearest-word.js';
import type { Policy } from '../ima/policy/policy.js';
import type { Subject } from '../ima/ports.js';
import type { GivenOptions, Invocation } from './command.js';
import { demandAnswers } from './connect.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { DEFAULT_ALGORITHM } from './hash-algorithm.js';
import { readListFile } from './list-files.js';
import { liveMount } from './live-mount.js';
import { ownSubject } from './matching-rules.js';
import { tryFiles } from './policy-test-files.js';
import { looksLikeList, testList } from './policy-test-list.js';
import { showFileTrials } from './policy-test-report.js';
import { demandValid, parsedPolicy, readPolicy } from './policy-text.js';
import { trialKeyring } from './trial-keyring.js';
import { ACCESSES, AccessTrials, type TriedAccess } from './try-access.js';
import { UserError } from './user-error.js';

/** Below (uid_t)-1. */
const MOST_ID = 0xfffffffe;

/** `imafs policy test`: what a policy would do to files, or which entries of a list it would make. */
export async function policyTest({ operands, options, output }: Invocation): Promise<ExitCode> {
  const control = options.text('control');
  for (const operand of operands) await demandAnswers(operand, control);
  const policy = await policyToTest(operands, options);
  const [uid, gid] = [idOf(options, 'uid'), idOf(options, 'gid')];
  const accesses = accessesOf(options);
  const quiet = options.flag('quiet');
  const lists = operands.filter(looksLikeList);
  for (const file of lists) {
    const caller = { ...(uid === undefined ? {} : { uid }), ...(gid === undefined ? {} : { gid }) };
    testList(output, file, readListFile(file).list, policy, caller, quiet);
  }
  const others = operands.filter((operand) => !lists.includes(operand));
  if (others.length === 0) return EXIT.ok;
  const keyring = await trialKeyring(others[0] ?? '', options, output);
  const subject = subjectOf(uid, gid);
  const hashAlgorithm = DEFAULT_ALGORITHM;
  const trials = new AccessTrials({ policy, keyring, subject, hashAlgorithm });
  const recursive = options.flag('recursive');
  const files = await tryFiles(trials, { operands: others, recursive, accesses, control, output });
  const { refused, failed } = showFileTrials(output, files, quiet);
  if (refused > 0) return EXIT.denied;
  return failed > 0 ? EXIT.problems : EXIT.ok;
}

/** What is given, or else what is in force where the first file lies. */
async function policyToTest(operands: readonly string[], options: GivenOptions): Promise<Policy> {
  const given = options.text('policy');
  if (given !== undefined) return demandValid(await readPolicy(given)).policy;
  const [first = ''] = operands;
  const live = await liveMount(first, options.text('control'));
  if (live !== undefined) {
    return demandValid(parsedPolicy('policy', live.client.readBytes('self/policy'))).policy;
  }
  const message = `no policy is in force for ${first}`;
  throw new UserError(EXIT.usage, 'bad-option', message, ['--policy FILE says what to test']);
}

function accessesOf(options: GivenOptions): readonly TriedAccess[] {
  const text = options.text('access');
  if (text === undefined) return ACCESSES;
  return text.split(',').map((word) => {
    const access = ACCESSES.find((known) => known === word);
    if (access !== undefined) return access;
    const nearest = nearestWord(word, ACCESSES);
    throw new UserError(EXIT.usage, 'bad-option', `'${word}' is no access`, [
      nearest === undefined ? `--access takes ${ACCESSES.join(',')}` : `did you mean ${nearest}?`,
    ]);
  });
}

function idOf(options: GivenOptions, name: 'uid' | 'gid'): number | undefined {
  const text = options.text(name);
  if (text === undefined) return undefined;
  const id = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (id <= MOST_ID) return id;
  throw new UserError(EXIT.usage, 'bad-option', `--${name} takes a number, not '${text}'`, [
    `id -${name[0]} NAME tells it`,
  ]);
}

/** Another user is one that has been that user all along. */
function subjectOf(uid: number | undefined, gid: number | undefined): Subject {
  const own = ownSubject();
  return {
    ...own,
    ...(uid === undefined ? {} : { uid, euid: uid, suid: uid }),
    ...(gid === undefined ? {} : { gid, egid: gid, sgid: gid }),
    ...(uid === undefined ? {} : { capSetuid: uid === 0, capSetgid: uid === 0 }),
  };
}
