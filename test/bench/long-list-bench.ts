/** A list of a hundred thousand entries: what it costs in memory, and how fast it is read. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { daemonMemory, mountImafs, statusOf, unmountAll } from './mounts.js';
import type { Programs } from './programs.js';
import { OWNER } from './protected-file.js';
import { median, print, verdict } from './report.js';

const READINGS = 5;
const MOST_MIB = 150;
const LEAST_MB_PER_SECOND = 200;
const LISTS = [
  'ascii_runtime_measurements',
  'binary_runtime_measurements',
  'ascii_runtime_measurements_sha256',
  'binary_runtime_measurements_sha256',
];

/** The backing directory has `files` files, in `directories` directories below `many`. */
export function benchLongList(
  work: string,
  backing: string,
  { files, directories }: { readonly files: number; readonly directories: number },
  { openloop }: Programs,
): void {
  const policy = [`measure fowner=${OWNER}`];
  const root = mountImafs({ work, name: 'long-list', backing, policy });
  const before = daemonMemory(root);
  openloop('crowd', join(root, 'many'), String(directories));
  const { measurements, mount } = statusOf(root);
  if (measurements.count <= files) throw new Error(`${measurements.count} entries`);
  print(`\na list of ${measurements.count} entries`);
  const full = daemonMemory(root);
  const count = openloop('read', join(root, '.ima/runtime_measurements_count')) / 1000;
  print(`  runtime_measurements_count is read in ${count.toFixed(0)} us`);
  for (const name of LISTS) readList(work, join(root, '.ima', name), openloop);
  const after = daemonMemory(root);
  print(
    `  memory ${before.toFixed(0)} MiB at start, ${full.toFixed(0)} MiB with the list,` +
      ` ${after.toFixed(0)} MiB after reading it; ${mount.counters.nodes} files known, ` +
      verdict(Math.max(full, after) < MOST_MIB, `< ${MOST_MIB} MiB`),
  );
  unmountAll(work);
}

/** By read(2) of 1 MiB, beside a copy of it on the file system below. */
function readList(work: string, list: string, openloop: Programs['openloop']): void {
  const first = openloop('read', list);
  const content = readFileSync(list);
  const copy = join(work, 'list-copy');
  writeFileSync(copy, content);
  const again: number[] = [];
  const ratios: number[] = [];
  for (let reading = 0; reading < READINGS; reading++) {
    const one = openloop('read', list);
    again.push(one);
    ratios.push(openloop('read', copy) / one);
  }
  const speed = (nanoseconds: number): number => (content.length / nanoseconds) * 1000;
  print(
    `  ${list.split('/').at(-1)}: ${(content.length / 1e6).toFixed(1)} MB,` +
      ` first ${speed(first).toFixed(0)} MB/s, then ${speed(median(again)).toFixed(0)} MB/s` +
      ` (${median(ratios).toFixed(2)} of the page cache), ` +
      verdict(speed(median(again)) > LEAST_MB_PER_SECOND, `> ${LEAST_MB_PER_SECOND} MB/s`),
  );
}
