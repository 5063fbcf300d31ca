/**
 * Compares what xfstests-run found on imafs with what it found on the bare file system.
 * usage: node dist/test/conformance/compare-xfstests.js RESULTS MODE...
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { counts, differences } from './compare.js';
import { parseCauses, parseExclusions } from './exclusions.js';
import { parseResults } from './results.js';

const LISTS = fileURLToPath(new URL('../../../test/conformance/', import.meta.url));
const [directory = '.', ...modes] = process.argv.slice(2);

const say = (line: string): boolean => process.stdout.write(`${line}\n`);
const resultsOf = (kind: string) =>
  parseResults(readFileSync(join(directory, `${kind}.results`), 'utf8'));

const exclusions = parseExclusions(readFileSync(join(LISTS, 'xfstests-exclude.txt'), 'utf8'));
const causes = parseCauses(readFileSync(join(LISTS, 'xfstests-not-run.txt'), 'utf8'));
const bare = resultsOf('ext4');
say(`ext4: ${counts(bare)}`);
for (const mode of modes) {
  const mount = resultsOf(mode);
  say(`passthrough=${mode}: ${counts(mount)}`);
  for (const difference of differences(bare, mount, mode, exclusions, causes)) {
    say(`  ${difference}`);
    process.exitCode = 1;
  }
}
