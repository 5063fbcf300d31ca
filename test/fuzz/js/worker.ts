/** The thread that fuzzes: in the instrumented copy of the project, told and watched by main.ts. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';

import { explore, type Progress } from './explore.js';
import { targets } from './targets.js';
import { Watch } from './watch.js';

export interface Order {
  readonly name: string;
  readonly seconds: number;
  readonly seed: number;
  readonly places: number;
  readonly words: readonly Uint8Array[];
  /** Directory of what is kept, and begun with. */
  readonly corpus: string;
  /** More directories to begin with. */
  readonly others: readonly string[];
  readonly watch: SharedArrayBuffer;
}

export type Report =
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'found'; readonly input: Uint8Array; readonly stack: string }
  | { readonly kind: 'over' };

const REPORT_MS = 60_000;

const { name, seconds, seed, places, words, corpus, others, watch } = workerData as Order;
const target = targets[name];
if (target === undefined) throw new Error(`no target ${name}`);
const report = (message: Report): void => parentPort?.postMessage(message);
const seen = new Watch(watch);
const end = performance.now() + seconds * 1000;
let nextReport = performance.now() + REPORT_MS;
let last: Progress = { inputs: 0, kept: 0, reached: 0, features: 0 };

const finding = explore({
  target,
  seed,
  places,
  words,
  known: [corpus, ...others].flatMap(filesBelow),
  isOver: (progress) => {
    last = progress;
    if (performance.now() > nextReport) {
      nextReport += REPORT_MS;
      report({ kind: 'progress', progress });
    }
    return performance.now() > end;
  },
  trying: (input) => seen.begin(input),
  kept: (input) =>
    writeFileSync(join(corpus, createHash('sha1').update(input).digest('hex')), input),
});
report({ kind: 'progress', progress: last });
report(
  finding
    ? { kind: 'found', input: finding.input, stack: finding.error.stack ?? finding.error.message }
    : { kind: 'over' },
);

function filesBelow(directory: string): Uint8Array[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)));
}
