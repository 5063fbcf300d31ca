/**
 * Runs all tests and ends with one line, `N passed, N failed, N skipped`.
 *
 * Files run in processes of their own; those on real mounts one after the other. A skipped test is
 * shown with its reason; under CI it is a failure, unless the reason is that of skipUnless() in
 * test/helpers/skip.ts: something this machine lacks. An imafs mount that is left is a failure.
 *
 * usage: node dist/test/run-tests.js [native] [PART OF A FILE'S NAME...]
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from 'node:test';
import { fileURLToPath } from 'node:url';

import { SLOWNESS } from './helpers/slowness.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SERIAL = /^test\/(mount|parity)\//;
/** Run once more with the fallbacks of an older kernel, see helpers/old-kernel.ts. */
const OLD_KERNEL = '5.15';
const ON_OLD_KERNEL =
  /^test\/mount\/(activation|changed-through|lineage|namespaces|refuse-and-allow)\./;
/** As test/helpers/skip.ts words it. */
const LACKING = /^no [\w -]+ here: /;
const FILE_TIMEOUT_MS = 15 * 60_000 * SLOWNESS;

/** What is used of the events of node:test's run(). */
type TestEvent =
  | { readonly type: 'test:stdout' | 'test:stderr'; readonly data: { readonly message: string } }
  | { readonly type: 'test:pass' | 'test:fail'; readonly data: TestResult }
  | { readonly type: 'test:start'; readonly data: unknown };

interface TestResult {
  readonly name: string;
  readonly skip?: string | boolean;
  readonly details: {
    readonly duration_ms: number;
    readonly type?: string;
    readonly error?: Error;
  };
}

interface Outcome {
  passed: number;
  readonly failed: string[];
  readonly skipped: { readonly name: string; readonly reason: string }[];
}

/** From the sources, so that what is left in dist of a removed test does not run. */
function testFiles(wanted: readonly string[]): string[] {
  return readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts') && !path.startsWith('architecture-fixture'))
    .map((path) => `test/${path}`)
    .filter((path) => wanted.length === 0 || wanted.some((part) => path.includes(part)))
    .sort();
}

/** Each file in a run of its own: an event names the file of the helper that called test(). */
async function runFiles(
  files: readonly string[],
  concurrency: number,
  outcome: Outcome,
  circumstance = '',
) {
  const waiting = [...files];
  const runNext = async (): Promise<void> => {
    for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
      await runFile(path, outcome, circumstance);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, runNext));
}

async function runFile(path: string, outcome: Outcome, circumstance: string): Promise<void> {
  const compiled = join(ROOT, 'dist', path.replace(/\.ts$/, '.js'));
  const events = run({ files: [compiled], timeout: FILE_TIMEOUT_MS });
  for await (const { type, data } of events as AsyncIterable<TestEvent>) {
    if (type === 'test:stdout' || type === 'test:stderr') process.stderr.write(data.message);
    else if (type === 'test:pass' || type === 'test:fail')
      record(outcome, `${path.replace(/^test\/|\.test\.ts$/g, '')}${circumstance}`, type, data);
  }
}

function record(
  outcome: Outcome,
  file: string,
  type: 'test:pass' | 'test:fail',
  { name: sentence, skip = false, details }: TestResult,
): void {
  const name = `${file}: ${sentence}`;
  if (skip !== false) {
    outcome.skipped.push({ name, reason: skip === true ? '' : skip });
  } else if (type === 'test:fail') {
    outcome.failed.push(name);
    say(`FAIL  ${name}\n${indent(errorText(details.error))}`);
  } else if (details.type !== 'suite') {
    outcome.passed += 1;
    say(`ok    ${name} (${Math.round(details.duration_ms)} ms)`);
  }
}

/** The C++ tests of native/ have a runner of their own, which ends with `N passed, N failed`. */
function runNativeTests(outcome: Outcome): void {
  const { stdout } = spawnSync(join(ROOT, 'test/native/run.sh'), {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  say(stdout.trimEnd());
  const [, passed, failed] = /(\d+) passed, (\d+) failed\s*$/.exec(stdout) ?? [];
  outcome.passed += Number(passed ?? 0);
  if (failed !== '0') outcome.failed.push(`native: ${failed ?? 'the run did not end'}`);
}

/** node:test wraps what was thrown. */
function errorText(error: Error | undefined): string {
  const thrown = error?.cause instanceof Error ? error.cause : error;
  return thrown?.stack ?? String(thrown);
}

function indent(text: string): string {
  return text.replace(/^/gm, '        ');
}

function leftMounts(): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes(' - fuse.imafs '));
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

const isCi = (process.env['CI'] ?? '') !== '';
const outcome: Outcome = { passed: 0, failed: [], skipped: [] };
const before = leftMounts();
if (before.length > 0) {
  say(`imafs is mounted already:\n${before.join('\n')}`);
}
const wanted = process.argv.slice(2);
const files = testFiles(wanted);
if (wanted.length === 0 || wanted.includes('native')) runNativeTests(outcome);
await runFiles(
  files.filter((path) => !SERIAL.test(path)),
  2,
  outcome,
);
await runFiles(
  files.filter((path) => SERIAL.test(path)),
  1,
  outcome,
);
if ((process.env['IMAFS_TEST_KERNEL'] ?? '') === '') {
  process.env['IMAFS_TEST_KERNEL'] = OLD_KERNEL;
  await runFiles(
    files.filter((path) => ON_OLD_KERNEL.test(path)),
    1,
    outcome,
    ` as on ${OLD_KERNEL}`,
  );
}
for (const left of leftMounts()) {
  if (!before.includes(left)) outcome.failed.push(`left mounted: ${left}`);
}
for (const { name, reason } of outcome.skipped) {
  say(`skip  ${name}: ${reason === '' ? 'no reason given' : reason}`);
  if (isCi && !LACKING.test(reason)) {
    outcome.failed.push(`skipped without a missing device, capability or feature: ${name}`);
  }
}
for (const name of outcome.failed) say(`failed: ${name}`);
say(`${outcome.passed} passed, ${outcome.failed.length} failed, ${outcome.skipped.length} skipped`);
process.exit(outcome.failed.length === 0 && outcome.passed > 0 ? 0 : 1);
