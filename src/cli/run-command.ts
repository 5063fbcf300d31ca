import { type ShownEntry, shownLine } from '../ima/list/shown-entry.js';
import type { Invocation } from './command.js';
import { type CommandEnd, ContainedCommand } from './contained-command.js';
import type { ControlClient } from './control-client.js';
import { type Denial, readDenials } from './denials.js';
import { asUtf8, entryJson } from './entry-json.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { Interruption } from './interruption.js';
import { differenceJson, exitCodeOf, hex, type ListReport } from './list-report.js';
import { demandMountRights } from './mount-places.js';
import { readStatus } from './mount-status.js';
import type { JsonValue, Output } from './output.js';
import { loadPolicy } from './policy.js';
import { type RunOptions, runOptions } from './run-options.js';
import { TemporaryMount } from './temporary-mount.js';
import { UserError } from './user-error.js';
import { type VerifiedNamespace, verifyNamespace } from './verify-namespace.js';

/** Bank of the list that is printed, as of the list without a suffix. */
const BANK = 'sha1';

/**
 * `imafs run`: mounts, gives the command a mount namespace with an IMA of its own, runs it, prints what
 * was measured and refused, and takes all down, whatever happened.
 */
export async function runCommand({ operands, options, output }: Invocation): Promise<ExitCode> {
  const [backing = '', ...command] = operands;
  const wanted = runOptions(options.texts('options'));
  demandMountRights();
  const interruption = new Interruption();
  try {
    const mount = await TemporaryMount.start(backing, wanted.mountOptions);
    try {
      interruption.throwIfInterrupted();
      return await runOn(mount, command, wanted, interruption, output);
    } finally {
      await mount.takeDown();
    }
  } finally {
    interruption.release();
  }
}

async function runOn(
  { places, client }: TemporaryMount,
  command: readonly string[],
  wanted: RunOptions,
  interruption: Interruption,
  output: Output,
): Promise<ExitCode> {
  const contained = await ContainedCommand.start(places, command);
  try {
    interruption.throwIfInterrupted();
    prepareNamespace(client, String(contained.namespace), wanted);
    interruption.throwIfInterrupted();
    interruption.passOnTo((signal) => {
      contained.signal(signal);
    });
    contained.proceed();
    const end = await contained.ended;
    interruption.commandEnded();
    await contained.killRest();
    return await tell(client, contained.namespace, command, end, output);
  } finally {
    await contained.release();
  }
}

function prepareNamespace(client: ControlClient, namespace: string, wanted: RunOptions): void {
  const { policy, tpm } = wanted;
  client.writeLines('namespaces', [namespace], (code) =>
    code === 'EINVAL'
      ? new UserError(EXIT.usage, 'bad-mount-option', 'a namespace needs ima_appraise=enforce_ns')
      : undefined,
  );
  if (tpm !== 'none') {
    client.writeLines(`${namespace}/tpm`, [tpm], (code) =>
      tpmRefusal(client, namespace, tpm, code),
    );
  }
  if (policy !== undefined) loadPolicy(client, namespace, policy.text, policy.source);
}

function tpmRefusal(
  client: ControlClient,
  namespace: string,
  tpm: string,
  code: string | undefined,
): UserError {
  const why = readStatus(client, namespace).measurements?.problem;
  const message = `TPM '${tpm}' cannot be used (${code})${why === undefined ? '' : `: ${why}`}`;
  return new UserError(EXIT.tpm, 'tpm', message, [
    '-o tpm=none for PCRs in software',
    'imafs doctor',
  ]);
}

/** The one line that this command prints, with and without --json. */
async function tell(
  client: ControlClient,
  namespace: number,
  command: readonly string[],
  end: CommandEnd,
  output: Output,
): Promise<ExitCode> {
  const verified = await verifyNamespace(client, `${namespace}/`);
  const denials = readDenials(client, [String(namespace)]);
  const fields = {
    namespace,
    command,
    exit: end.exit,
    signal: end.signal,
    ...measured(verified),
    denials: denials as unknown as JsonValue,
  };
  const line = { type: 'run', schema: 'imafs.run/1', ...fields };
  output.result('run', fields, JSON.stringify(line));
  return exitCode(end, denials, verified);
}

function measured({ report, lists }: VerifiedNamespace): Record<string, JsonValue> {
  const { entries, violations, problem } = report;
  return {
    list: (lists.get(BANK) ?? []).map(lineJson),
    violations,
    count: entries,
    pcrs: pcrsJson(report),
    verified: problem === undefined,
    ...(problem === undefined ? {} : { problem: differenceJson(problem) }),
  };
}

function lineJson(entry: ShownEntry): JsonValue {
  return { ...entryJson(entry), line: asUtf8(shownLine(entry)) };
}

/** Of the PCRs that the list uses. */
function pcrsJson({ findings }: ListReport): JsonValue {
  const banks: Record<string, Record<string, string>> = {};
  for (const { bank, pcr, value } of findings) {
    if (value !== undefined) banks[bank] = { ...banks[bank], [pcr]: hex(value) };
  }
  return banks;
}

function exitCode(
  { exit }: CommandEnd,
  denials: readonly Denial[],
  { report }: VerifiedNamespace,
): ExitCode {
  if (denials.length > 0) return EXIT.denied;
  return exit === 0 ? exitCodeOf(report) : EXIT.problems;
}
