/** A worker thread that treats files, by plain system calls: what waits is the thread alone. */
import { parentPort, workerData } from 'node:worker_threads';

import { errnoOf } from '../base/errno.js';
import { clearFile } from './clear-file.js';
import { CrewSignals } from './crew-signals.js';
import { FileContent, Stopped } from './file-content.js';
import { FileProblem } from './file-problem.js';
import type { BatchReport, CrewOrders, FileBatch, FileOutcome, FileTask } from './file-task.js';
import { hashFile } from './hash-file.js';
import { DaemonHasher } from './hash-file-by-daemon.js';
import { AttributesChanged, OpenedFile } from './opened-file.js';
import { signFile } from './sign-file.js';
import { UserError } from './user-error.js';
import { FileVerifier } from './verify-file.js';

/** At a file whose attributes change, as those of one with many hard links may. */
const MOST_ATTEMPTS = 5;

/** Whoever reads through a mount is judged by its policies. */
const REFUSED_ON_MOUNT = {
  sign: 'a policy of the mount refuses it: label it by label hash first, or sign it before it is mounted',
  verify: 'a policy of the mount refuses it: imafs explain tells why',
} as const;

interface Treatment {
  /** Whether content is read: else the file is not opened for it, which could be refused. */
  readonly reads: boolean;
  readonly treat: (file: OpenedFile) => FileOutcome;
}

const { tasks, tellEach, shared } = workerData as CrewOrders;
const signals = new CrewSignals(shared);
const content = new FileContent(signals);
const treatments = new Map<number, Treatment>();

function treatmentOf(task: FileTask): Treatment {
  switch (task.kind) {
    case 'hash':
      return { reads: true, treat: (file) => hashFile(task, content, file) };
    case 'clear':
      return { reads: false, treat: (file) => clearFile(task, file) };
    case 'sign':
      return { reads: true, treat: (file) => signFile(task, content, file) };
    case 'verify': {
      const verifier = new FileVerifier(task, content);
      return { reads: true, treat: (file) => verifier.verify(file) };
    }
    case 'hash-by-daemon': {
      const hasher = new DaemonHasher(task, signals);
      return { reads: false, treat: (file) => hasher.hash(file) };
    }
    default:
      return task satisfies never;
  }
}

/** For a task by its position; made once, as it may connect to a daemon. */
function treatment(position: number): Treatment {
  const known = treatments.get(position);
  if (known !== undefined) return known;
  const task = tasks[position];
  if (task === undefined) throw new RangeError(`no task ${position}`);
  const made = treatmentOf(task);
  treatments.set(position, made);
  return made;
}

/** Undefined: the file is none of the walk's. */
function outcomeOf(
  task: number,
  at: string,
  path: string,
  device: bigint | undefined,
  attempts = MOST_ATTEMPTS,
): FileOutcome | undefined {
  let file: OpenedFile | undefined;
  try {
    const { reads, treat } = treatment(task);
    file = OpenedFile.open(at, path, device, reads);
    return file === undefined ? undefined : treat(file);
  } catch (error) {
    if (error instanceof Stopped) throw error;
    if (error instanceof AttributesChanged && attempts > 1) {
      return outcomeOf(task, at, path, device, attempts - 1);
    }
    return { result: 'failed', message: reason(error, tasks[task]) };
  } finally {
    file?.close();
  }
}

function reason(error: unknown, task: FileTask | undefined): string {
  if (error instanceof FileProblem || error instanceof UserError) return error.message;
  const code = errnoOf(error);
  if (code === 'EACCES' && task !== undefined && 'onMount' in task && task.onMount) {
    return `EACCES: ${REFUSED_ON_MOUNT[task.kind]}`;
  }
  return code ?? String(error);
}

function perform({ id, task, runs }: FileBatch): BatchReport {
  const counts: Partial<Record<FileOutcome['result'], number>> = {};
  const told: [string, FileOutcome][] = [];
  try {
    for (const { base, shown, device, names } of runs) {
      for (const name of names) {
        if (signals.isStopped) throw new Stopped();
        const path = shown + name;
        const outcome = outcomeOf(task, base + name, path, device);
        if (outcome === undefined) continue;
        counts[outcome.result] = (counts[outcome.result] ?? 0) + 1;
        if (tellEach || outcome.result === 'failed') told.push([path, outcome]);
      }
    }
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
  }
  return { id, counts, told };
}

parentPort?.on('message', (batch: FileBatch) => {
  parentPort?.postMessage(perform(batch));
});
