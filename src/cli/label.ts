import type { Invocation } from './command.js';
import { demandAnswers } from './connect.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import type { FileOutcome, FileTask } from './file-task.js';
import { DEFAULT_ALGORITHM, demandAlgorithm } from './hash-algorithm.js';
import { type LiveMount, liveMount } from './live-mount.js';
import { treatTrees } from './treat-trees.js';
import { UserError } from './user-error.js';

/** `imafs label hash`: sets security.ima to the digest of what each file holds. */
export async function labelHash(invocation: Invocation): Promise<ExitCode> {
  const { options, operands } = invocation;
  const dryRun = options.flag('dry-run');
  const algorithm = demandAlgorithm(options.text('algorithm') ?? DEFAULT_ALGORITHM);
  const tasks: FileTask[] = [];
  for (const operand of operands) {
    const live = await liveMount(operand, options.text('control'));
    tasks.push(
      live === undefined
        ? { kind: 'hash', algorithm, dryRun }
        : hashOnMount(live, operand, invocation),
    );
  }
  return labelTrees(invocation, tasks);
}

/** `imafs label clear`: removes security.ima. */
export async function labelClear(invocation: Invocation): Promise<ExitCode> {
  const { operands, options } = invocation;
  for (const operand of operands) await demandAnswers(operand, options.text('control'));
  const task = { kind: 'clear', dryRun: options.flag('dry-run') } as const;
  return labelTrees(
    invocation,
    operands.map(() => task),
  );
}

/** Files that fail are told one by one and make the exit code 3. */
export async function labelTrees(
  invocation: Invocation,
  tasks: readonly FileTask[],
): Promise<ExitCode> {
  const { options, output } = invocation;
  const dryRun = options.flag('dry-run');
  const { failed } = await treatTrees({
    invocation,
    tasks,
    ...(dryRun ? { tellEach: true, line: whatWouldBeDone } : {}),
    summarize: (counts) => {
      const done = counts.labelled + counts.cleared;
      const unchanged = counts.unchanged + counts['no-label'];
      const text = `${done} ${dryRun ? 'would change' : 'changed'}, ${unchanged} unchanged, ${counts.failed} failed`;
      output.result('summary', { done, unchanged, failed: counts.failed, dryRun }, text);
    },
  });
  return failed === 0 ? EXIT.ok : EXIT.problems;
}

function whatWouldBeDone(path: string, outcome: FileOutcome): string | undefined {
  switch (outcome.result) {
    case 'labelled':
      return `${path}: would be labelled ${outcome.digest ?? `by key ${outcome.keyid}`}`;
    case 'cleared':
      return `${path}: would be cleared`;
    default:
      return undefined;
  }
}

/** Below a live mount the daemon hashes and decides, as `label` of the control tree says. */
function hashOnMount(
  { client, below }: LiveMount,
  operand: string,
  { options }: Invocation,
): FileTask {
  if (options.text('algorithm') !== undefined) {
    throw new UserError(
      EXIT.usage,
      'bad-option',
      'on a live mount the algorithm is that of its ima_hash, --algorithm cannot be given',
    );
  }
  if (options.flag('dry-run')) {
    return { kind: 'hash', algorithm: client.read('self/hash').trim(), dryRun: true };
  }
  return {
    kind: 'hash-by-daemon',
    mountpoint: client.mount.mountpoint,
    control: options.text('control'),
    operand: Buffer.from(operand).toString('latin1'),
    below: Buffer.from(below).toString('latin1'),
  };
}
