import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canHash, createHasher } from '../../../src/binding/hash-algorithms.js';

test('only names of the kernel are algorithms, whatever else can be computed', () => {
  assert.deepEqual(['sha256', 'rmd160', 'sha3-512', 'md5'].map(canHash), Array(4).fill(true));
  const others = ['verity:sha256', 'md4', 'ripemd160', 'constructor', '__proto__', 'toString', ''];
  assert.deepEqual(others.map(canHash), Array(others.length).fill(false));
});

test('a digest of fs-verity is asked for by its own name', () => {
  assert.ok(createHasher('verity:sha256'));
  assert.equal(createHasher('verity:md5'), undefined);
});
