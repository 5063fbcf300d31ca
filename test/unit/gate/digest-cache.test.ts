import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { DigestCache } from '../../../src/gate/digest-cache.js';

test('a digest is found for its node, version and algorithm only', () => {
  const cache = new DigestCache();
  const digest = Uint8Array.from(randomBytes(32));
  cache.keep(7, 1, 'sha256', digest);
  assert.deepEqual(cache.find(7, 1, 'sha256'), digest);
  assert.equal(cache.find(7, 2, 'sha256'), undefined);
  assert.equal(cache.find(7, 11, 'sha256'), undefined);
  assert.equal(cache.find(8, 1, 'sha256'), undefined);
  assert.equal(cache.find(7, 1, 'sha1'), undefined);
});

test('every byte value comes back', () => {
  const cache = new DigestCache();
  const digest = Uint8Array.from({ length: 256 }, (_, at) => at);
  cache.keep(1, 1, 'x', digest);
  assert.deepEqual(cache.find(1, 1, 'x'), digest);
});

test('a forgotten node and the oldest beyond the capacity are gone', () => {
  const cache = new DigestCache(2);
  for (const node of [1, 2, 3]) cache.keep(node, 1, 'sha256', randomBytes(32));
  assert.equal(cache.find(1, 1, 'sha256'), undefined);
  cache.forget([2]);
  assert.equal(cache.find(2, 1, 'sha256'), undefined);
  assert.equal(cache.size, 1);
});

test('of nodes that share a place the later one is kept, and the other is not taken for it', () => {
  const cache = new DigestCache(4);
  const digest = Uint8Array.from(randomBytes(32));
  for (const node of [3, 7, 4_000_000_003]) {
    cache.keep(node, 1, 'sha256', digest);
    for (const other of [3, 7, 11, 4_000_000_003]) {
      assert.deepEqual(cache.find(other, 1, 'sha256'), other === node ? digest : undefined);
    }
  }
  cache.forget([3, 7, 11]);
  assert.equal(cache.size, 1);
  cache.forget([4_000_000_003]);
  assert.equal(cache.size, 0);
});

test('a hundred thousand files keep their digests', () => {
  const cache = new DigestCache();
  const digest = randomBytes(32);
  for (let node = 1; node <= 100_000; node += 1) cache.keep(node, node, 'sha256', digest);
  assert.equal(cache.size, 100_000);
});
