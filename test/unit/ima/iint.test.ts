import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IintCache, IMA_APPRAISED, IMA_AUDITED, IMA_UPDATE_XATTR } from '../../../src/ima/iint.js';

test('the one not used for longest goes first', () => {
  const cache = new IintCache(3);
  for (const node of [1, 2, 3, 1, 4]) {
    cache.obtain(node);
  }
  assert.equal(cache.size, 3);
  assert.equal(cache.find(2), undefined);
  assert.ok(cache.find(1));
});

test('an iint with a writer stays, and the others still make room', () => {
  const cache = new IintCache(3);
  for (let node = 0; node < 20; node += 1) {
    cache.obtain(node).addWriter(1, false);
  }
  for (let node = 20; node < 1000; node += 1) {
    cache.obtain(node);
  }
  for (let node = 0; node < 20; node += 1) {
    assert.ok(cache.find(node)?.hasWriter());
    cache.find(node)?.endUnwritten(1);
  }
  assert.ok(cache.size < 40, `${cache.size} remembered`);
});

test('forgotten nodes begin anew', () => {
  const cache = new IintCache(3);
  cache.obtain(1).flags = IMA_AUDITED;
  cache.forget([1, 2]);
  assert.equal(cache.obtain(1).flags, 0);
});

test('a reset takes what was done, not what a writer needs', () => {
  const iint = new IintCache(1).obtain(1);
  iint.reset(5, 0);
  iint.flags = IMA_AUDITED | IMA_APPRAISED.BPRM;
  iint.addWriter(5, false);
  assert.equal(iint.isWritten(5), false);
  iint.reset(6, 0);
  assert.equal(iint.flags & IMA_UPDATE_XATTR, IMA_UPDATE_XATTR);
  assert.equal(iint.has(IMA_AUDITED | IMA_APPRAISED.BPRM), false);
  assert.equal(iint.isWritten(6), true, 'even though its version is known again');
});
