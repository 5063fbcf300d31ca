import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { appendToJournal } from '../../../src/tpm/journal-append.js';
import { JournalFailed } from '../../../src/tpm/tpm.js';

const BLOCK = 4096;
const BLOCKS = 8;

const directory = mkdtempSync(join(tmpdir(), 'imafs-journal-'));
const size = `size=${BLOCK * BLOCKS}`;
execFileSync('mount', ['-t', 'tmpfs', '-o', size, 'imafs-test', directory]);
after(() => {
  execFileSync('umount', [directory]);
  rmdirSync(directory);
});

const isFull = (error: unknown) => error instanceof JournalFailed && error.code === 'ENOSPC';

test('an entry that does not fit whole leaves nothing', () => {
  const path = join(directory, 'journal');
  const fd = openSync(path, 'a');
  after(() => closeSync(fd));
  appendToJournal(fd, Buffer.from('first entry\n'));
  // Larger than what is left: the kernel writes a part of it and fails after that.
  assert.throws(() => appendToJournal(fd, Buffer.alloc(BLOCK * (BLOCKS + 1), 'x')), isFull);
  assert.equal(readFileSync(path, 'utf8'), 'first entry\n');
  appendToJournal(fd, Buffer.from('second entry\n'));
  assert.equal(readFileSync(path, 'utf8'), 'first entry\nsecond entry\n');
});

test('on a full disk an entry fails by name', () => {
  const filler = openSync(join(directory, 'filler'), 'a');
  after(() => closeSync(filler));
  assert.throws(() => {
    for (;;) appendToJournal(filler, Buffer.alloc(BLOCK, 'x'));
  }, isFull);
  const path = join(directory, 'late');
  const fd = openSync(path, 'a');
  after(() => closeSync(fd));
  assert.throws(() => appendToJournal(fd, Buffer.from('entry\n')), isFull);
  assert.equal(statSync(path).size, 0);
});
