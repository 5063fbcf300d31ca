/**
 * `make bench`: imafs, bindfs and fuse-overlayfs against bare ext4, in one run on one backing
 * directory. Runs are interleaved; each ratio is taken within its round, and the median is printed.
 * BENCH_DIR (default: a temporary directory) should be on ext4.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chownSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { setAttributeSync } from 'fs-xattr';

import { PROJECT } from '../helpers/project.js';
import { type Contestant, daemonMemory, mountAll, unmountAll } from './contestants.js';

const OWNER = 71452;
const ROUNDS = 7;
const WARM_OPENS = 20_000;
const LARGE_BYTES = 2 ** 30;
const MANY_FILES = 100_000;
/** For ctime to be older than a clock tick: only then is a verdict remembered. */
const SETTLE_MS = 50;

const work = mkdtempSync(join(process.env['BENCH_DIR'] ?? tmpdir(), 'imafs-bench-'));
const backing = join(work, 'backing');
const openloop = join(work, 'openloop');

function time(...words: string[]): number {
  return Number(execFileSync(openloop, words, { encoding: 'utf8' }));
}

/** Makes an appraised file with a right label. */
function labelled(path: string, digest: Buffer): void {
  chownSync(path, OWNER, OWNER);
  setAttributeSync(path, 'security.ima', Buffer.concat([Buffer.from([4, 4]), digest]));
}

function makeFiles(): void {
  mkdirSync(backing);
  const small = Buffer.alloc(4096, 'imafs');
  writeFileSync(join(backing, 'small'), small);
  labelled(join(backing, 'small'), createHash('sha256').update(small).digest());
  const chunk = Buffer.alloc(2 ** 20, 'imafs');
  const hash = createHash('sha256');
  const fd = openSync(join(backing, 'large'), 'w');
  for (let written = 0; written < LARGE_BYTES; written += chunk.length) {
    writeSync(fd, chunk);
    hash.update(chunk);
  }
  closeSync(fd);
  labelled(join(backing, 'large'), hash.digest());
}

function makeManyFiles(): void {
  const digest = createHash('sha256').update('x').digest();
  for (let index = 0; index < MANY_FILES; index++) {
    const directory = join(backing, 'many', String(index % 100));
    if (index < 100) mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, String(index)), 'x');
    labelled(join(directory, String(index)), digest);
  }
}

/** The others in an order that changes with the round, after or before the first. */
function inTurn(contestants: readonly Contestant[], round: number): Contestant[] {
  const at = round % contestants.length;
  return [...contestants.slice(at), ...contestants.slice(0, at)];
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Measures all contestants round by round; ratios to ext4 above 1 are slower. */
function compare(
  title: string,
  contestants: readonly Contestant[],
  measure: (root: string) => number,
) {
  const nanoseconds = new Map(contestants.map(({ name }) => [name, [] as number[]]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const { name, root } of inTurn(contestants, round)) {
      nanoseconds.get(name)?.push(measure(root));
    }
  }
  const bare = nanoseconds.get('ext4') ?? [];
  print(`\n${title}`);
  for (const [name, values] of nanoseconds) {
    const ratio = median(values.map((value, round) => value / (bare[round] ?? Number.NaN)));
    print(
      `  ${name.padEnd(16)} ${(median(values) / 1000).toFixed(1).padStart(12)} us` +
        `  ${ratio.toFixed(2).padStart(6)} x ext4  (speed ${(1 / ratio).toFixed(2)})`,
    );
  }
}

/** Opening 1 GiB that has just changed, against openssl on the same file. */
async function coldOpen(mountpoint: string): Promise<void> {
  const behind = join(backing, 'large');
  const opens: number[] = [];
  const ratios: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    // A new version, to be hashed again.
    utimesSync(behind, new Date(), new Date());
    await sleep(SETTLE_MS);
    const open = time('open', join(mountpoint, 'large'));
    const start = process.hrtime.bigint();
    execFileSync('openssl', ['dgst', '-sha256', behind], { stdio: 'ignore' });
    opens.push(open);
    ratios.push(Number(process.hrtime.bigint() - start) / open);
  }
  print(
    `\ncold open of 1 GiB\n  imafs ${(median(opens) / 1e6).toFixed(0)} ms,` +
      ` speed ${median(ratios).toFixed(2)} of openssl dgst -sha256`,
  );
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

let unmounted = false;
try {
  execFileSync('cc', ['-O2', '-o', openloop, join(PROJECT, 'test/bench/openloop.c')]);
  makeFiles();
  const policy = join(work, 'policy');
  writeFileSync(policy, `appraise fowner=${OWNER}\n`);
  const contestants = mountAll(work, backing, policy);
  await sleep(SETTLE_MS);
  compare('warm open, read 4 KiB, close (appraised)', contestants, (root) =>
    time('warm', join(root, 'small'), String(WARM_OPENS)),
  );
  compare('sequential read of 1 GiB (in the page cache)', contestants, (root) =>
    time('read', join(root, 'large')),
  );
  const imafs = contestants[1]?.root ?? '';
  await coldOpen(imafs);
  makeManyFiles();
  const known = time('walk', join(imafs, 'many'));
  print(`\nmemory of the daemon, ${known} appraised files opened, 1024 descriptors at most`);
  print(`  ${(daemonMemory(imafs) / 1024).toFixed(0)} MiB resident`);
  print(`\n${readFileSync('/proc/version', 'utf8').split(' (')[0]}, Node ${process.version}`);
} finally {
  unmounted = unmountAll(work);
  if (unmounted) rmSync(work, { recursive: true, force: true });
}
