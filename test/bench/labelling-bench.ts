/** What labelling a tree of many files costs, beside the tools that do a part of it or the same. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { IMAFS } from '../helpers/project.js';
import { inTurn, median, paired, print, verdict } from './report.js';

const FILES = 50_000;
const DIRECTORIES = 250;
const SIGNED_FILES = 2000;
const ROUNDS = 3;
const MOST_OF_SHA256SUM = 1.2;

/** Sizes of files: a small one, and what programs and their data are like, between 256 bytes and 64 KiB. */
const TREES: readonly (readonly [name: string, sizeOf: (index: number) => number])[] = [
  ['4 KiB each', () => 4096],
  ['256 bytes to 64 KiB, 12 KiB on average', (index) => Math.floor(2 ** (8 + (index % 97) / 12.1))],
];

interface Contestant {
  readonly name: string;
  /** A shell command, with $TREE and $KEY. */
  readonly command: string;
  readonly seconds: number[];
}

const IMAFS_COMMAND = IMAFS.map((word) => `'${word}'`).join(' ');

const SHA256SUM = 'find "$TREE" -type f -print0 | xargs -0 -P2 sha256sum';

export function benchLabelling(work: string): void {
  const key = join(work, 'key');
  execFileSync('openssl', ['genrsa', '-out', key, '2048'], { stdio: 'ignore' });
  for (const [index, [name, sizeOf]] of TREES.entries()) {
    const tree = join(work, `labelled-${index}`);
    makeTree(tree, FILES, sizeOf);
    print(`\nlabels of ${FILES} files, ${name}`);
    const [sums, , ours] = race(tree, key, [
      ['find | xargs -0 -P2 sha256sum', SHA256SUM],
      ['evmctl ima_hash -r', 'evmctl ima_hash -r -a sha256 "$TREE"'],
      ['imafs label hash -r', `${IMAFS_COMMAND} label hash -r "$TREE"`],
      ['imafs verify -r', `${IMAFS_COMMAND} verify -r "$TREE"`],
    ]);
    if (sums === undefined || ours === undefined) return;
    const ratio = paired(ours.seconds, sums.seconds, (left, right) => left / right);
    const target = `<= ${MOST_OF_SHA256SUM} x sha256sum`;
    print(`  labelling ${ratio.toFixed(2)} x, ${verdict(ratio <= MOST_OF_SHA256SUM, target)}`);
  }
  const tree = join(work, 'signed');
  makeTree(tree, SIGNED_FILES, () => 4096);
  print(`\nsignatures (RSA-2048) of ${SIGNED_FILES} files, 4 KiB each`);
  race(tree, key, [
    ['evmctl ima_sign -r', 'evmctl ima_sign -r -a sha256 -k "$KEY" "$TREE"'],
    ['imafs label sign -r', `${IMAFS_COMMAND} label sign -r --key "$KEY" "$TREE"`],
  ]);
}

function makeTree(tree: string, files: number, sizeOf: (index: number) => number): void {
  for (let index = 0; index < files; index++) {
    const directory = join(tree, String(index % DIRECTORIES));
    if (index < DIRECTORIES) mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, String(index)), Buffer.alloc(sizeOf(index), String(index)));
  }
}

/** Each on a tree without labels but for verify, which needs them; the first round warms the caches only. */
function race(
  tree: string,
  key: string,
  commands: readonly (readonly [name: string, command: string])[],
): Contestant[] {
  const contestants = commands.map(([name, command]): Contestant => {
    return { name, command, seconds: [] };
  });
  const shell = (command: string): void => {
    const env = { ...process.env, TREE: tree, KEY: key };
    execFileSync('sh', ['-c', command], { env, stdio: 'ignore' });
  };
  for (let round = 0; round <= ROUNDS; round++) {
    for (const { name, command, seconds } of inTurn(contestants, round)) {
      const prepare = name.includes('verify') ? 'hash' : 'clear';
      shell(`${IMAFS_COMMAND} label ${prepare} -r "$TREE"`);
      const startedMs = performance.now();
      shell(command);
      if (round > 0) seconds.push((performance.now() - startedMs) / 1000);
    }
  }
  const [first] = contestants;
  for (const { name, seconds } of contestants) {
    const ratio = paired(seconds, first?.seconds ?? [], (left, right) => left / right);
    const shown = median(seconds).toFixed(2).padStart(8);
    print(`  ${name.padEnd(30)} ${shown} s  ${ratio.toFixed(2).padStart(6)} x`);
  }
  return contestants;
}
