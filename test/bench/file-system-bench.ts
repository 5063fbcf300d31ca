/** imafs, bindfs and fuse-overlayfs against bare ext4: warm opens, reading, a cold open, memory. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, utimesSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { type Contestant, mountAll } from './contestants.js';
import { daemonMemory, unmountAll } from './mounts.js';
import type { Programs } from './programs.js';
import { OWNER, protect, writeProtected } from './protected-file.js';
import { inTurn, median, paired, print } from './report.js';

const ROUNDS = 7;
const WARM_OPENS = 20_000;
const LARGE_BYTES = 2 ** 30;
/** For ctime to be older than a clock tick: only then is a verdict remembered. */
const SETTLE_MS = 50;

/** The backing directory has files below `many`, which is walked for the memory they take. */
export async function benchFileSystem(
  work: string,
  backing: string,
  { openloop }: Programs,
): Promise<void> {
  makeFiles(backing);
  const contestants = mountAll(work, backing, [`appraise fowner=${OWNER}`]);
  await sleep(SETTLE_MS);
  compare('warm open, read 4 KiB, close (appraised)', contestants, (root) =>
    openloop('warm', join(root, 'small'), String(WARM_OPENS)),
  );
  compare('sequential read of 1 GiB (in the page cache)', contestants, (root) =>
    openloop('read', join(root, 'large')),
  );
  const imafs = contestants[1]?.root ?? '';
  await coldOpen(openloop, join(backing, 'large'), join(imafs, 'large'));
  const known = openloop('walk', join(imafs, 'many'));
  print(`\nmemory of the daemon, ${known} appraised files opened, 1024 descriptors at most`);
  print(`  ${daemonMemory(imafs).toFixed(0)} MiB resident`);
  unmountAll(work);
}

function makeFiles(backing: string): void {
  mkdirSync(backing, { recursive: true });
  writeProtected(join(backing, 'small'), Buffer.alloc(4096, 'imafs'));
  const chunk = Buffer.alloc(2 ** 20, 'imafs');
  const hash = createHash('sha256');
  const large = join(backing, 'large');
  const fd = openSync(large, 'w');
  for (let written = 0; written < LARGE_BYTES; written += chunk.length) {
    writeSync(fd, chunk);
    hash.update(chunk);
  }
  closeSync(fd);
  protect(large, hash.digest());
}

/** Measures all contestants round by round; ratios to ext4 above 1 are slower. */
function compare(
  title: string,
  contestants: readonly Contestant[],
  measure: (root: string) => number,
): void {
  const nanoseconds = new Map(contestants.map(({ name }) => [name, [] as number[]]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const { name, root } of inTurn(contestants, round)) {
      nanoseconds.get(name)?.push(measure(root));
    }
  }
  const bare = nanoseconds.get('ext4') ?? [];
  print(`\n${title}`);
  for (const [name, values] of nanoseconds) {
    const ratio = paired(values, bare, (value, ofBare) => value / ofBare);
    print(
      `  ${name.padEnd(16)} ${(median(values) / 1000).toFixed(1).padStart(12)} us` +
        `  ${ratio.toFixed(2).padStart(6)} x ext4  (speed ${(1 / ratio).toFixed(2)})`,
    );
  }
}

/** Opening 1 GiB that has just changed, against openssl on the same file. */
async function coldOpen(
  openloop: Programs['openloop'],
  behind: string,
  through: string,
): Promise<void> {
  const opens: number[] = [];
  const ratios: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    // A new version, to be hashed again.
    utimesSync(behind, new Date(), new Date());
    await sleep(SETTLE_MS);
    const open = openloop('open', through);
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
