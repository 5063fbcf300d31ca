import { remedyOf, remedyText } from '../ima/remedy.js';
import type { Invocation } from './command.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import type { FileFacts, FileTask, VerifyTask } from './file-task.js';
import { liveMount } from './live-mount.js';
import type { Output } from './output.js';
import { systemKeys } from './system-keys.js';
import { treatTrees } from './treat-trees.js';

/** `imafs verify`: whether security.ima of each file fits what it holds. */
export async function verify(invocation: Invocation): Promise<ExitCode> {
  const { options, operands, output } = invocation;
  const keys = keysOf(options.text('keys'), output);
  const demandsSignature = options.flag('signed');
  const tasks: FileTask[] = [];
  for (const operand of operands) {
    const onMount = (await liveMount(operand, options.text('control'))) !== undefined;
    tasks.push({ kind: 'verify', ...keys, demandsSignature, onMount });
  }
  const { failed } = await treatTrees({
    invocation,
    tasks,
    line: (path, outcome) =>
      outcome.result === 'failed' ? `${path}: ${outcome.message}` : undefined,
    hint: remedyFor,
    summarize: (counts) => {
      const { ok, failed } = counts;
      output.result('summary', { ok, failed }, `${ok} ok, ${failed} failed`);
    },
  });
  return failed === 0 ? EXIT.ok : EXIT.problems;
}

function remedyFor(path: string, { cause, keyid, key }: FileFacts): string | undefined {
  const isKeyKnown = keyid === undefined ? undefined : key !== undefined;
  const remedy =
    cause === undefined ? undefined : remedyOf({ cause, path, keyId: keyid, isKeyKnown });
  return remedy && remedyText(remedy);
}

/** What a mount with keys=DIR would trust, and what not. */
function keysOf(
  directory: string | undefined,
  output: Output,
): Pick<VerifyTask, 'keys' | 'blacklist'> {
  const { trusted, unadmitted, blacklist } = systemKeys(directory);
  for (const { file, description, reasons } of unadmitted) {
    output.note(`imafs: ${file}: ${description}: not trusted: ${reasons.join('; ')}`);
  }
  const keys = trusted.map(({ keyId, description, certificate }) => {
    return { keyId, description, certificate };
  });
  return { keys, blacklist };
}
