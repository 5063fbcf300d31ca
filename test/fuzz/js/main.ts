/**
 * Fuzzes the targets one after the other, for so many seconds each, and ends with 1 if it found
 * anything: that is left in dist/fuzz/js/found, as short as it gets. What was learnt is kept in
 * dist/fuzz/js/corpus for the next time.
 *
 * usage: node dist/test/fuzz/js/main.js SECONDS [TARGET...]
 *        node dist/test/fuzz/js/main.js again TARGET FILE     what an input does
 * environment: FUZZ_SEED (a number), FUZZ_INPUTS (directories of more inputs, colons between them)
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

import { PROJECT } from '../../helpers/project.js';
import { build } from './build.js';
import { targets } from './targets.js';
import { Watch } from './watch.js';
import type { Order, Report } from './worker.js';

const WORK = join(PROJECT, 'dist/fuzz/js');
/** An input that takes longer hangs. */
const HANG_SECONDS = 30;
/** Far more than any target needs. */
const MEMORY_MB = 1024;

const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 0x7fffffff);
const others = (process.env['FUZZ_INPUTS'] ?? '').split(':').filter((path) => path !== '');

/** Whether nothing was found. */
async function fuzz(name: string, seconds: number): Promise<boolean> {
  const { root, places, words } = build(join(WORK, 'build', name), targets[name]?.code ?? []);
  const corpus = join(WORK, 'corpus', name);
  mkdirSync(corpus, { recursive: true });
  const watch = new Watch();
  say(`${name}: ${places} places, seed ${seed}, for ${seconds} s`);
  const workerData: Order = {
    ...{ name, seconds, seed, places, words, corpus, others },
    watch: watch.shared,
  };
  const worker = new Worker(join(root, 'test/fuzz/js/worker.js'), {
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
  });
  const ended = await new Promise<{ input: Uint8Array; stack: string } | undefined>((resolve) => {
    const stop = (stack: string): void => resolve({ input: watch.input, stack });
    const watching = watchForHangs(watch, () => stop(`took longer than ${HANG_SECONDS} s`));
    worker.on('message', (report: Report) => {
      if (report.kind === 'progress') {
        const { inputs, kept, reached, features } = report.progress;
        say(`${name}: ${inputs} inputs, ${kept} kept, ${reached} places, ${features} features`);
      } else {
        clearInterval(watching);
        resolve(report.kind === 'found' ? report : undefined);
      }
    });
    // Beyond what a target can throw: out of memory, an error that nobody waited for.
    worker.on('error', (error: Error) => stop(error.stack ?? error.message));
    worker.on('exit', (code) => stop(`the thread ended by itself, with ${code}`));
  });
  await worker.terminate();
  if (ended !== undefined) show(name, ended.input, ended.stack);
  return ended === undefined;
}

function watchForHangs(watch: Watch, hangs: () => void): NodeJS.Timeout {
  let last = { begun: -1, since: 0 };
  const timer = setInterval(() => {
    if (watch.begun !== last.begun) last = { begun: watch.begun, since: performance.now() };
    else if (watch.begun > 0 && performance.now() - last.since > HANG_SECONDS * 1000) {
      clearInterval(timer);
      hangs();
    }
  }, 1000);
  return timer;
}

function show(name: string, input: Uint8Array, stack: string): void {
  const found = join(WORK, 'found');
  mkdirSync(found, { recursive: true });
  const hash = createHash('sha1').update(input).digest('hex').slice(0, 12);
  const path = join(found, `${name}-${hash}`);
  writeFileSync(path, input);
  say(`${name}: found ${path}, ${input.length} bytes`);
  say(`${JSON.stringify(Buffer.from(input).toString('latin1'))}\n${stack}`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function targetNamed(name: string): string {
  if (!Object.hasOwn(targets, name)) {
    throw new Error(`no target ${name}, there are ${Object.keys(targets).join(', ')}`);
  }
  return name;
}

const [seconds = '', ...words] = process.argv.slice(2);
if (seconds === 'again') {
  const [name = '', path = ''] = words;
  targets[targetNamed(name)]?.check(readFileSync(path));
  say('nothing is wrong with it');
} else {
  const names = words.length === 0 ? Object.keys(targets) : words.map(targetNamed);
  let isClean = true;
  for (const name of names) isClean = (await fuzz(name, Number(seconds))) && isClean;
  process.exitCode = isClean ? 0 : 1;
}
