/** What measuring adds to the first open of a small file, alone and with many readers at once. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { FREE_PCR } from './extend-bench.js';
import { mountImafs, statusOf, unmountAll } from './mounts.js';
import type { Programs } from './programs.js';
import { OWNER, writeProtected } from './protected-file.js';
import { inTurn, median, paired, print, verdict } from './report.js';

const ROUNDS = 7;
const ALONE_FILES = 1000;
const READERS = 8;
const READER_FILES = 125;
const EXTENDS = 500;
const MOST_MORE_US = 200;
/** For ctime to be older than a clock tick. */
const SETTLE_MS = 50;

const APPRAISE = `appraise fowner=${OWNER}`;
const MEASURE = `measure fowner=${OWNER}`;

/** Microseconds for each open, round by round. */
interface Measured {
  readonly name: string;
  readonly root: string;
  readonly alone: number[];
  readonly crowd: number[];
}

export async function benchMeasuredOpens(
  work: string,
  tcti: string,
  { openloop, extendloop }: Programs,
): Promise<void> {
  const backing = join(work, 'first-opens');
  makeFiles(backing);
  const mount = (name: string, policy: readonly string[], tpm: string): Measured => {
    const root = mountImafs({ work, name, backing, policy, tpm });
    return { name, root, alone: [], crowd: [] };
  };
  const hashed = mount('hashed', [APPRAISE], 'none');
  const software = mount('measured', [APPRAISE, MEASURE], 'none');
  const extended = mount('extended', [APPRAISE, MEASURE], tcti);
  const contestants = [hashed, software, extended];
  const extend: number[] = [];
  await sleep(SETTLE_MS);
  // The first round is for code that is not compiled yet, and is not counted.
  for (let round = 0; round <= ROUNDS; round++) {
    for (const { root, alone, crowd } of inTurn(contestants, round)) {
      const one = openloop('cold', join(root, `alone-${round}`), String(ALONE_FILES)) / 1000;
      const all = openloop('crowd', join(root, `crowd-${round}`), String(READERS)) / 1000;
      if (round > 0) alone.push(one);
      if (round > 0) crowd.push(all / (READERS * READER_FILES));
    }
    const each = extendloop(tcti, FREE_PCR, EXTENDS);
    if (round > 0) extend.push(each);
  }
  checkAllExtended(extended.root);
  unmountAll(work);
  showAlone(hashed, software, extended, extend);
  showCrowd(hashed, software, extended, extend);
}

/** Of all rounds: each file is opened once through each mount. */
function makeFiles(backing: string): void {
  for (let round = 0; round <= ROUNDS; round++) {
    writeMany(join(backing, `alone-${round}`), ALONE_FILES);
    for (let reader = 0; reader < READERS; reader++) {
      writeMany(join(backing, `crowd-${round}`, String(reader)), READER_FILES);
    }
  }
}

function writeMany(directory: string, count: number): void {
  mkdirSync(directory, { recursive: true });
  for (let index = 0; index < count; index++) {
    const path = join(directory, String(index));
    writeProtected(path, Buffer.alloc(4096, path));
  }
}

/** Otherwise something else was timed. */
function checkAllExtended(root: string): void {
  const { count, extended } = statusOf(root).measurements;
  const opened = (ROUNDS + 1) * (ALONE_FILES + READERS * READER_FILES);
  if (count <= opened || extended !== count) {
    throw new Error(`${opened} files opened, ${count} entries, ${extended} extended`);
  }
}

function showAlone(
  hashed: Measured,
  software: Measured,
  extended: Measured,
  extend: readonly number[],
): void {
  print('\nfirst open of a 4 KiB file, one after the other (appraised)');
  for (const { name, alone } of [hashed, software, extended]) {
    const more = paired(alone, hashed.alone, (one, other) => one - other);
    print(
      `  ${name.padEnd(16)} ${median(alone).toFixed(0).padStart(8)} us  ${more.toFixed(0).padStart(6)} us more than hashed`,
    );
  }
  const added = extended.alone.map((one, round) => one - (hashed.alone[round] ?? Number.NaN));
  const beyond = paired(added, extend, (more, each) => more - each);
  print(
    `  extended costs one extend of the C loop (${median(extend).toFixed(0)} us) and ${beyond.toFixed(0)} us,` +
      ` ${verdict(beyond <= MOST_MORE_US, `<= ${MOST_MORE_US} us`)}`,
  );
}

function showCrowd(
  hashed: Measured,
  software: Measured,
  extended: Measured,
  extend: readonly number[],
): void {
  print(`\nfirst opens by ${READERS} processes at once`);
  for (const { name, crowd } of [hashed, software, extended]) {
    const ratio = paired(crowd, hashed.crowd, (one, other) => one / other);
    print(
      `  ${name.padEnd(16)} ${median(crowd).toFixed(0).padStart(8)} us each  ${ratio.toFixed(2).padStart(6)} x hashed`,
    );
  }
  const speed = paired(extend, extended.crowd, (each, one) => each / one);
  const cost = paired(extended.crowd, software.crowd, (one, other) => one / other);
  print(
    `  extended ${cost.toFixed(2)} x measured; ${speed.toFixed(2)} of the C loop's extends a second`,
  );
}
