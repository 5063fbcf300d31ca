/**
 * `make bench`: all measurements in one run on one machine, side by side. Runs are interleaved; each
 * ratio is taken within its round, and the median is printed. Words choose among the parts: files,
 * extends, opens, list, rules, signatures, labels. BENCH_DIR (default: a temporary directory) should be on
 * ext4.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createLog } from '../../src/base/log.js';
import { startSwtpm } from '../../src/tpm/swtpm.js';
import { benchExtends } from './extend-bench.js';
import { benchFileSystem } from './file-system-bench.js';
import { benchLabelling } from './labelling-bench.js';
import { benchLongList } from './long-list-bench.js';
import { benchMeasuredOpens } from './measured-open-bench.js';
import { unmountAll } from './mounts.js';
import { compile } from './programs.js';
import { writeProtected } from './protected-file.js';
import { print } from './report.js';
import { benchRules } from './rules-bench.js';
import { benchSignatures } from './signature-bench.js';

const MANY = { files: 100_000, directories: 100 };

const work = mkdtempSync(join(process.env['BENCH_DIR'] ?? tmpdir(), 'imafs-bench-'));
const backing = join(work, 'backing');
const words = process.argv.slice(2);
const isWanted = (part: string): boolean => words.length === 0 || words.includes(part);

function makeMany(): void {
  for (let index = 0; index < MANY.files; index++) {
    const directory = join(backing, 'many', String(index % MANY.directories));
    if (index < MANY.directories) mkdirSync(directory, { recursive: true });
    writeProtected(join(directory, String(index)), String(index));
  }
}

try {
  const programs = compile(work);
  if (isWanted('extends') || isWanted('opens')) {
    const swtpm = await startSwtpm(join(work, 'swtpm'), createLog('warn'));
    try {
      if (isWanted('extends')) await benchExtends(work, swtpm.tcti, programs);
      if (isWanted('opens')) await benchMeasuredOpens(work, swtpm.tcti.name, programs);
    } finally {
      await swtpm.stop();
    }
  }
  if (isWanted('signatures')) benchSignatures();
  if (isWanted('rules')) await benchRules(work, programs);
  if (isWanted('files') || isWanted('list')) makeMany();
  if (isWanted('list')) benchLongList(work, backing, MANY, programs);
  if (isWanted('files')) await benchFileSystem(work, backing, programs);
  if (isWanted('labels')) benchLabelling(work);
  print(`\n${readFileSync('/proc/version', 'utf8').split(' (')[0]}, Node ${process.version}`);
} finally {
  if (unmountAll(work)) rmSync(work, { recursive: true, force: true });
}
