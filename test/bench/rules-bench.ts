/** What the length of a policy adds to an open that no verdict is remembered for. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { cpuOf, mountImafs, statusOf, unmountAll } from './mounts.js';
import type { Programs } from './programs.js';
import { OWNER, writeProtected } from './protected-file.js';
import { inTurn, median, paired, print, verdict } from './report.js';

/** Short ones: what else runs on the machine is the same for both in most of them. */
const ROUNDS = 150;
const FILES = 40;
/** For code that is not compiled yet; these are not counted. */
const FIRST_ROUNDS = 10;
const FEW = 10;
const MANY = 1000;
const MOST_TIMES = 1.3;
/** For ctime to be older than a clock tick. */
const SETTLE_MS = 50;

/** Rules as people write them, for other files, users and hooks than those that are opened. */
const OTHERS: readonly ((number: number) => string)[] = [
  (number) => `dont_measure fsmagic=0x${(0x10000 + number).toString(16)}`,
  (number) => `dont_appraise fsmagic=0x${(0x10000 + number).toString(16)}`,
  (number) => `measure func=FILE_CHECK mask=MAY_READ uid=${200_000 + number}`,
  (number) => `measure func=FILE_CHECK mask=^MAY_READ euid=${200_000 + number}`,
  (number) => `appraise func=BPRM_CHECK fowner=${300_000 + number}`,
  (number) => `dont_appraise func=FILE_CHECK fgroup=${300_000 + number}`,
  (number) => `measure func=MMAP_CHECK mask=MAY_EXEC gid=${300_000 + number}`,
  (number) => `dont_measure fsname=fs${number} fowner=${OWNER}`,
];

interface Contestant {
  readonly name: string;
  readonly root: string;
  readonly daemon: number;
  /** Microseconds for each open, round by round. */
  readonly opens: number[];
  /** Microseconds of the daemon's CPU time at each open, which tells on a busy machine. */
  readonly cpu: number[];
}

export async function benchRules(work: string, { openloop }: Programs): Promise<void> {
  const backing = join(work, 'rules');
  for (let round = 0; round < ROUNDS; round++) makeFiles(join(backing, String(round)));
  const mounted = (count: number): Contestant => {
    const policy = policyOf(count);
    const root = mountImafs({ work, name: `rules-${count}`, backing, policy });
    // Asked once: status has a digest of the policy, which takes longer for a longer one.
    const daemon = statusOf(root).mount.pid;
    return { name: `${count} rules`, root, daemon, opens: [], cpu: [] };
  };
  const few = mounted(FEW);
  const many = mounted(MANY);
  await sleep(SETTLE_MS);
  for (let round = 0; round < ROUNDS; round++) {
    for (const { root, daemon, opens, cpu } of inTurn([few, many], round)) {
      const before = cpuOf(daemon);
      const one = openloop('cold', join(root, String(round)), String(FILES)) / 1000;
      if (round >= FIRST_ROUNDS) opens.push(one);
      if (round >= FIRST_ROUNDS) cpu.push((cpuOf(daemon) - before) / FILES);
    }
  }
  unmountAll(work);
  const times = paired(many.opens, few.opens, (one, other) => one / other);
  print('\nfirst open of a 4 KiB file, its rule the last of the policy (appraised)');
  for (const { name, opens, cpu } of [few, many]) {
    const spent = cpu.reduce((sum, one) => sum + one, 0) / cpu.length;
    print(
      `  ${name.padEnd(16)} ${median(opens).toFixed(0).padStart(8)} us` +
        `  ${spent.toFixed(0).padStart(6)} us of the daemon's CPU`,
    );
  }
  print(
    `  ${MANY} rules cost ${times.toFixed(2)} x ${FEW} rules,` +
      ` ${verdict(times <= MOST_TIMES, `<= ${MOST_TIMES}`)}`,
  );
}

function policyOf(count: number): string[] {
  const others = Array.from({ length: count - 1 }, (_, number) =>
    (OTHERS[number % OTHERS.length] ?? String)(number),
  );
  return [...others, `appraise fowner=${OWNER}`];
}

function makeFiles(directory: string): void {
  mkdirSync(directory, { recursive: true });
  for (let index = 0; index < FILES; index++) {
    const path = join(directory, String(index));
    writeProtected(path, Buffer.alloc(4096, path));
  }
}
