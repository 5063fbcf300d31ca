import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Journal } from '../../../src/gate/journal.js';

const directory = mkdtempSync(join(tmpdir(), 'imafs-journal-'));
after(() => rmSync(directory, { recursive: true }));

const file = join(directory, 'unsettled');

/** What the next run finds. */
const inherited = (): readonly string[] => {
  const journal = new Journal(directory);
  const paths = journal.inherited();
  journal.close();
  return paths;
};

const fresh = (): Journal => {
  writeFileSync(file, '');
  return new Journal(directory);
};

test('a first run inherits nothing', () => {
  rmSync(file, { force: true });
  assert.deepEqual(inherited(), []);
});

test('what is unsettled at a crash is named by the next run, and the one after it', () => {
  const journal = fresh();
  journal.add(1n, '/one');
  journal.add(2n, '/two\nlines "quoted"');
  journal.add(3n, '/three');
  journal.remove(1n);
  assert.deepEqual(inherited(), ['/two\nlines "quoted"', '/three']);
  assert.deepEqual(inherited(), ['/two\nlines "quoted"', '/three']);
});

test('an entry is on disk when add returns, under its latest name', () => {
  const journal = fresh();
  journal.add(1n, '/old');
  journal.add(1n, '/new');
  journal.add(1n, '/new');
  assert.equal(readFileSync(file, 'utf8'), '+ 1 "/old"\n+ 1 "/new"\n');
  assert.deepEqual(inherited(), ['/new']);
});

test('a line that a crash cut short is passed over', () => {
  fresh().add(1n, '/one');
  appendFileSync(file, '+ 2 "/tw');
  assert.deepEqual(inherited(), ['/one']);
});

test('a file labelled at last is named no more', () => {
  fresh().add(1n, '/one');
  const next = new Journal(directory);
  next.remove(1n);
  assert.deepEqual(next.inherited(), []);
  assert.deepEqual(inherited(), []);
});

test('the file does not grow without bound', () => {
  const journal = fresh();
  journal.add(9n, '/kept');
  for (let round = 0; round < 3000; round += 1) {
    journal.add(1n, '/one');
    journal.remove(1n);
  }
  assert.ok(readFileSync(file, 'utf8').split('\n').length < 1100);
  assert.deepEqual(inherited(), ['/kept']);
});
