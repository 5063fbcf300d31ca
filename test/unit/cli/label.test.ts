import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { labelOf, setLabel } from '../../helpers/label.js';
import { jsonLines, transcript } from './transcript.js';

const work = mkdtempSync(join(tmpdir(), 'imafs-label-'));
after(() => {
  rmSync(work, { recursive: true, force: true });
});

function file(name: string, content = 'hello'): string {
  const path = join(work, name);
  writeFileSync(path, content);
  return path;
}

function digest(content: string, algorithm = 'sha256'): string {
  return createHash(algorithm).update(content).digest('hex');
}

test('hash sets type, algorithm and digest as the kernel does', async () => {
  const path = file('plain');
  const { exit, stdout } = await transcript(`label hash ${path}`);
  assert.deepEqual([exit, stdout], [0, '1 changed, 0 unchanged, 0 failed\n']);
  assert.equal(labelOf(path), `0404${digest('hello')}`);
});

test('a label that is right already is left alone', async () => {
  const path = file('again');
  await transcript(`label hash ${path}`);
  const [result] = jsonLines(await transcript(`label hash --json ${path}`));
  assert.deepEqual(result, {
    type: 'file',
    schema: 'imafs.label-hash/1',
    path,
    result: 'unchanged',
    digest: `sha256:${digest('hello')}`,
  });
});

test('algorithms have their kernel names; sha1 is written in the old form', async () => {
  const path = file('algorithms');
  for (const [name, prefix] of [
    ['sha512', '0406'],
    ['sha3-256', '0414'],
    ['sha1', '01'],
  ] as const) {
    assert.equal((await transcript(`label hash -a ${name} ${path}`)).exit, 0, name);
    assert.equal(labelOf(path), prefix + digest('hello', name));
  }
  const unknown = await transcript(`label hash -a sha257 ${path}`);
  assert.deepEqual([unknown.exit, labelOf(path)], [1, `01${digest('hello', 'sha1')}`]);
});

test('a signature is never written over, but can be cleared', async () => {
  const path = file('signed');
  setLabel(path, '030204d3320449');
  const hashed = await transcript(`label hash ${path}`);
  assert.equal(hashed.exit, 3);
  assert.match(hashed.stderr, /has a signature/);
  assert.equal(labelOf(path), '030204d3320449');
  assert.equal((await transcript(`label clear ${path}`)).exit, 0);
  assert.equal(labelOf(path), undefined);
});

test('a tree is labelled file by file; symlinks and special files are passed over', async () => {
  const tree = join(work, 'tree');
  mkdirSync(join(tree, 'deep/er'), { recursive: true });
  const outside = file('outside');
  symlinkSync(outside, join(tree, 'link'));
  execFileSync('mkfifo', [join(tree, 'pipe')]);
  const inside = [file('tree/one'), file('tree/deep/er/two')];
  const { exit, stdout } = await transcript(`label hash -r ${tree}`);
  assert.deepEqual([exit, stdout], [0, '2 changed, 0 unchanged, 0 failed\n']);
  for (const path of inside) assert.equal(labelOf(path), `0404${digest('hello')}`);
  assert.equal(labelOf(outside), undefined);
});

test('a name that is not UTF-8 is labelled too', async () => {
  const tree = join(work, 'bytes');
  mkdirSync(tree);
  writeFileSync(Buffer.concat([Buffer.from(`${tree}/`), Buffer.from([0xff, 0xfe])]), 'hello');
  const { stdout } = await transcript(`label hash -r ${tree}`);
  assert.equal(stdout, '1 changed, 0 unchanged, 0 failed\n');
});

test('what cannot be labelled is named, the rest is done, and the exit code says so', async () => {
  const good = file('good');
  const link = join(work, 'link');
  symlinkSync(good, link);
  const ran = await transcript(`label hash ${link} ${work} ${work}/missing ${good}`);
  assert.equal(ran.exit, 3);
  assert.equal(ran.stdout, '1 changed, 0 unchanged, 3 failed\n');
  assert.match(ran.stderr, /link: is a symbolic link/);
  assert.match(ran.stderr, /is a directory \(use --recursive\)/);
  assert.match(ran.stderr, /missing: ENOENT/);
});
