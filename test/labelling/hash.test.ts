/** `label hash` against evmctl, byte for byte. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { labelOf, labelsBelow } from '../helpers/label.js';
import { skipUnless } from '../helpers/skip.js';
import { transcript } from '../unit/cli/transcript.js';

/** All that evmctl 1.4 and OpenSSL both have. */
const ALGORITHMS = ['md5', 'sha1', 'rmd160', 'sha256', 'sha384', 'sha512', 'sha224', 'sm3'];
const SPARSE_BYTES = 300_000_000;

const work = mkdtempSync(join(tmpdir(), 'imafs-label-hash-'));
after(() => {
  rmSync(work, { recursive: true, force: true });
});

const skip = skipUnless('evmctl', 'nothing to compare with');

/** Paths in bytes: what setfattr and evmctl are given must not pass through a string. */
function makeFiles(): Buffer[] {
  const names = ['plain', 'two words', 'line\nbreak', '-n', 'é', '\xff\xfe'];
  const paths = names.map((name) => Buffer.from(join(work, name), 'latin1'));
  for (const [index, path] of paths.entries()) writeFileSync(path, `content ${index}`);
  const sized = [0, 1, 1024 * 1024 - 1, 1024 * 1024, 1024 * 1024 + 1, 5_000_000];
  for (const sizeBytes of sized) {
    const path = join(work, `size ${sizeBytes}`);
    writeFileSync(path, Buffer.alloc(sizeBytes, 'x'));
    paths.push(Buffer.from(path));
  }
  return paths;
}

test('labels are those of evmctl ima_hash, for every algorithm and any name', {
  skip,
}, async () => {
  const paths = makeFiles();
  for (const algorithm of ALGORITHMS) {
    const list = Buffer.concat(paths.map((path) => Buffer.concat([path, Buffer.from([0])])));
    // One file each time is all that evmctl takes.
    const each = ['-0', '-n1', 'evmctl', 'ima_hash', '-a', algorithm];
    execFileSync('xargs', each, { input: list, stdio: ['pipe', 'ignore', 'ignore'] });
    const wanted = labelsBelow(work);
    const again = await transcript(`label hash -r -a ${algorithm} ${work}`);
    assert.equal(again.stdout, `0 changed, ${paths.length} unchanged, 0 failed\n`, algorithm);
    await transcript(`label clear -r ${work}`);
    const { exit, stdout } = await transcript(`label hash -r -a ${algorithm} ${work}`);
    assert.deepEqual([exit, stdout], [0, `${paths.length} changed, 0 unchanged, 0 failed\n`]);
    assert.deepEqual(labelsBelow(work), wanted, algorithm);
  }
});

test('a large file with holes has the label evmctl gives it', { skip }, async () => {
  const sparse = join(work, 'sparse');
  writeFileSync(sparse, 'begin');
  truncateSync(sparse, SPARSE_BYTES);
  await transcript(`label hash ${sparse}`);
  const label = labelOf(sparse);
  execFileSync('evmctl', ['ima_hash', '-a', 'sha256', sparse], { stdio: 'ignore' });
  assert.equal(labelOf(sparse), label);
});

test('a file whose name is that of an option is labelled after --', { skip }, async () => {
  const directory = join(work, 'options');
  mkdirSync(directory);
  writeFileSync(join(directory, '-r'), 'x');
  const { exit } = await transcript(`label hash -- ${directory}/-r`);
  assert.equal(exit, 0);
  assert.ok(labelOf(`${directory}/-r`)?.startsWith('0404'));
});
