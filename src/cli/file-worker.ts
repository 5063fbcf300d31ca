/** A worker thread that treats files, by plain system calls: what waits is the thread alone. */
import { parentPort, workerData } from 'node:worker_threads';

import { errnoOf } from '../base/errno.js';
import { FileProblem } from '../labels/file-problem.js';
import { NamedFile } from '../labels/named-file.js';
import { AttributesChanged, OpenedFile } from '../labels/opened-file.js';
import { CrewSignals } from './crew-signals.js';
import { FileContent, Stopped } from './file-content.js';
import type {
  BatchReport,
  CrewOrders,
  FileBatch,
  FileOutcome,
  FileRun,
  FileTask,
} from './file-task.js';
import { UserError } from './user-error.js';

/** At a file whose attributes change, as those of one with many hard links may. */
const MOST_ATTEMPTS = 5;

/** Whoever reads through a mount is judged by its policies. */
const REFUSED_ON_MOUNT = {
  sign: 'a policy of the mount refuses it: label it by label hash first, or sign it before it is mounted',
  verify: 'a policy of the mount refuses it: imafs explain tells why',
} as const;

/** What is done with the file of a name (latin1) in a directory; undefined: it is none of the walk's. */
type Treatment = (directory: FileRun, name: string) => FileOutcome | undefined;

const { tasks, tellEach, shared } = workerData as CrewOrders;
const signals = new CrewSignals(shared);
const content = new FileContent(signals);
/** By the positions of tasks; each is made when it is needed first, as it may connect to a daemon. */
const makers = await Promise.all(tasks.map(makerOf));
const treatments = new Map<number, Treatment>();

/** Loads what the task takes and no more: of a small tree's time that is most. */
async function makerOf(task: FileTask): Promise<() => Treatment> {
  switch (task.kind) {
    case 'hash': {
      const { hashFile } = await import('./hash-file.js');
      return () => reading((file) => hashFile(task, content, file));
    }
    case 'clear': {
      const { clearFile } = await import('./clear-file.js');
      return () => naming((file) => clearFile(task, file));
    }
    case 'sign': {
      const { signFile } = await import('./sign-file.js');
      return () => reading((file) => signFile(task, content, file));
    }
    case 'verify': {
      const { FileVerifier } = await import('./verify-file.js');
      return () => {
        const verifier = new FileVerifier(task, content);
        return reading((file) => verifier.verify(file));
      };
    }
    case 'hash-by-daemon': {
      const { DaemonHasher } = await import('./hash-file-by-daemon.js');
      return () => {
        const hasher = new DaemonHasher(task, signals);
        return naming((file) => hasher.hash(file));
      };
    }
    default:
      return task satisfies never;
  }
}

function reading(treat: (file: OpenedFile) => FileOutcome): Treatment {
  return (directory, name) => closing(OpenedFile.open(directory, name, content.beginning), treat);
}

/** Of a file that is not opened for its content, which could be refused. */
function naming(treat: (file: NamedFile) => FileOutcome): Treatment {
  return (directory, name) => closing(NamedFile.open(directory, name), treat);
}

function closing<File extends { close(): void }>(
  file: File | undefined,
  treat: (file: File) => FileOutcome,
): FileOutcome | undefined {
  try {
    return file === undefined ? undefined : treat(file);
  } finally {
    file?.close();
  }
}

/** For a task by its position. */
function treatment(position: number): Treatment {
  const known = treatments.get(position);
  if (known !== undefined) return known;
  const made = makers[position]?.();
  if (made === undefined) throw new RangeError(`no task ${position}`);
  treatments.set(position, made);
  return made;
}

/** Undefined: the file is none of the walk's. */
function outcomeOf(
  task: number,
  directory: FileRun,
  name: string,
  attempts = MOST_ATTEMPTS,
): FileOutcome | undefined {
  try {
    return treatment(task)(directory, name);
  } catch (error) {
    if (error instanceof Stopped) throw error;
    if (error instanceof AttributesChanged && attempts > 1) {
      return outcomeOf(task, directory, name, attempts - 1);
    }
    return { result: 'failed', message: reason(error, tasks[task]) };
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
    for (const directory of runs) {
      for (const name of directory.names) {
        if (signals.isStopped) throw new Stopped();
        const outcome = outcomeOf(task, directory, name);
        if (outcome === undefined) continue;
        counts[outcome.result] = (counts[outcome.result] ?? 0) + 1;
        if (tellEach || outcome.result === 'failed') {
          told.push([directory.shown + name, outcome]);
        }
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
