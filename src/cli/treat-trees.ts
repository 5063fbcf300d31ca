import { statSync } from 'node:fs';
import { availableParallelism } from 'node:os';

import { shownPath, systemPath, walkFiles } from '../labels/walk-files.js';
import type { Invocation } from './command.js';
import { EXIT } from './exit-codes.js';
import { FileBatches } from './file-batches.js';
import { FileCrew } from './file-crew.js';
import type { BatchReport, FileOutcome, FileResult, FileTask } from './file-task.js';
import { Interruption } from './interruption.js';
import type { Output } from './output.js';
import { printable } from './printable.js';
import { Progress } from './progress.js';
import { UserError } from './user-error.js';

const PROGRESS_EVERY_MS = 100;
const MOST_JOBS = 256;

export type Counts = Readonly<Record<FileResult, number>>;

export interface Trees {
  readonly invocation: Invocation;
  /** For each operand. */
  readonly tasks: readonly FileTask[];
  /** Whether files that did not fail are told of too, which takes time; under --json they always are. */
  readonly tellEach?: boolean;
  /** The line for people about a file; undefined: none, or on stderr if it failed. */
  readonly line?: (path: string, outcome: FileOutcome) => string | undefined;
  /** What mends a failure: in each JSON line, and for people once for each cause, after all. */
  readonly hint?: (path: string, outcome: FileOutcome) => string | undefined;
  /** Called in any case, also when interrupted, before the error is. */
  readonly summarize: (counts: Counts) => void;
}

/**
 * Does `tasks` with the files that the operands name, on several threads, and tells of them in the order
 * of the walk. Throws a UserError if it is interrupted.
 */
export async function treatTrees(trees: Trees): Promise<Counts> {
  const { invocation, tasks, summarize } = trees;
  const { operands, options, output } = invocation;
  const jobs = jobsOf(invocation);
  const recursive = options.flag('recursive');
  const counts = noCounts();
  const progress = new Progress(output, totalBytes(operands, recursive, output));
  const hints = new Map<string, string>();
  const tell = (report: BatchReport): void => {
    add(counts, report);
    if (report.told.length > 0) progress.clear();
    for (const [path, outcome] of report.told) {
      const hint = tellFile(output, shownPath(path), outcome, trees);
      if (hint !== undefined)
        hints.set(outcome.cause ?? '', hints.get(outcome.cause ?? '') ?? hint);
    }
  };
  const crew = new FileCrew(tasks, jobs, output.json || trees.tellEach === true, tell);
  const interruption = new Interruption();
  interruption.passOnTo(() => {
    crew.signals.stop();
  });
  const stopWatching = watch(crew, progress);
  try {
    await crew.run(new FileBatches(operands, recursive, jobs).units());
  } finally {
    stopWatching();
    interruption.release();
  }
  if (!output.json) for (const hint of hints.values()) output.note(`  hint: ${hint}`);
  summarize(counts);
  interruption.throwIfInterrupted(['what is done is done: run it again for the rest']);
  return counts;
}

function jobsOf({ options }: Invocation): number {
  const text = options.text('jobs');
  if (text === undefined) return availableParallelism();
  const jobs = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (jobs >= 1 && jobs <= MOST_JOBS) return jobs;
  throw new UserError(EXIT.usage, 'bad-option', `--jobs takes a number from 1 to ${MOST_JOBS}`);
}

/** How many bytes there are, for the bar; not worth a walk where nobody sees one. */
function totalBytes(
  operands: readonly string[],
  recursive: boolean,
  output: Output,
): number | undefined {
  if (!output.isWatched) return undefined;
  let bytes = 0;
  for (const operand of operands) {
    for (const found of walkFiles(operand, recursive)) {
      if (found.kind === 'file') bytes += sizeOf(found.directory.base + found.name);
    }
  }
  return bytes;
}

/** 0 for what is gone by now. */
function sizeOf(at: string): number {
  return statSync(systemPath(at), { throwIfNoEntry: false })?.size ?? 0;
}

function watch(crew: FileCrew, progress: Progress): () => void {
  let shown = 0;
  const timer = setInterval(() => {
    const { bytes } = crew.signals;
    progress.add(bytes - shown);
    shown = bytes;
  }, PROGRESS_EVERY_MS);
  return () => {
    clearInterval(timer);
    progress.clear();
  };
}

function noCounts(): Record<FileResult, number> {
  return { labelled: 0, unchanged: 0, cleared: 0, 'no-label': 0, ok: 0, failed: 0 };
}

function add(counts: Record<FileResult, number>, report: BatchReport): void {
  for (const [result, count] of Object.entries(report.counts)) {
    counts[result as FileResult] += count;
  }
}

/** Returns the hint, if there is one. */
function tellFile(
  output: Output,
  path: string,
  outcome: FileOutcome,
  trees: Trees,
): string | undefined {
  // Whoever names a file may name it so that a terminal obeys it, or that it looks like two.
  const name = printable(path, Number.POSITIVE_INFINITY);
  const text = trees.line?.(name, outcome);
  const hint = trees.hint?.(name, outcome);
  output.result('file', { path, ...outcome, hint }, text);
  if (outcome.result === 'failed' && text === undefined && !output.json) {
    output.note(`imafs: ${name}: ${outcome.message}`);
  }
  return hint;
}
