import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { counts, differences } from '../../conformance/compare.js';
import { parseCauses, parseExclusions } from '../../conformance/exclusions.js';
import { parseResults } from '../../conformance/results.js';
import { PROJECT } from '../../helpers/project.js';

function found(bare: string, mount: string, exclude = '', causes = ''): readonly string[] {
  return differences(
    parseResults(`generic/001 ${bare}\n`),
    parseResults(`generic/001 ${mount}\n`),
    'rw',
    parseExclusions(exclude),
    parseCauses(causes),
  );
}

test('what passes or fails on both is no difference', () => {
  assert.deepEqual(found('pass', 'pass'), []);
  assert.deepEqual(found('fail', 'fail'), []);
  assert.deepEqual(found('fail', 'pass'), []);
});

test('a test that fails or hangs on the mount only is one, also if the bare answer is none', () => {
  assert.deepEqual(found('pass', 'fail'), ['generic/001: fail, bare: pass']);
  assert.deepEqual(found('fail', 'hang'), ['generic/001: hang, bare: fail']);
  assert.deepEqual(found('notrun no tool', 'fail'), ['generic/001: fail, bare: notrun']);
});

test('an exclusion is for its modes, and reported when the test passes', () => {
  assert.deepEqual(found('pass', 'fail', 'generic/001 all why'), []);
  assert.deepEqual(found('pass', 'fail', 'generic/001 off,rw why'), []);
  assert.equal(found('pass', 'fail', 'generic/001 off why').length, 1);
  assert.deepEqual(found('pass', 'pass', 'generic/001 rw why'), [
    'generic/001: passes, but is excluded',
  ]);
  assert.deepEqual(found('pass', 'pass', 'generic/001 rw? races'), []);
  assert.equal(found('pass', 'pass', 'generic/002 all why').length, 1, 'no such test');
});

test('a test that is not run needs a listed cause, unless the bare one is not run either', () => {
  const mount = 'notrun xfs_io fiemap failed';
  assert.deepEqual(found('notrun no tool', mount), []);
  assert.equal(found('pass', mount).length, 1);
  assert.deepEqual(found('pass', mount, '', '# a comment\n\nfiemap failed -- FUSE has none'), []);
});

test('a line without a reason is refused', () => {
  assert.throws(() => parseExclusions('generic/001 all'));
  assert.throws(() => parseExclusions('generic/001 why'));
  assert.throws(() => parseCauses('fiemap failed'));
});

test('the lists of the repository can be read, and name each test once', () => {
  const text = (name: string): string =>
    readFileSync(join(PROJECT, 'test/conformance', name), 'utf8');
  const tests = parseExclusions(text('xfstests-exclude.txt')).map((each) => each.test);
  assert.deepEqual([...new Set(tests)], tests);
  assert.notEqual(parseCauses(text('xfstests-not-run.txt')).length, 0);
});

test('counts', () => {
  const results = parseResults('a/1 pass\na/2 pass\na/3 notrun why\n');
  assert.equal(counts(results), 'pass 2, fail 0, hang 0, notrun 1');
});
