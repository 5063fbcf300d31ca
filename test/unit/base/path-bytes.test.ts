import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pathBytes } from '../../../src/base/path-bytes.js';

for (const [path, hex] of [
  ['/a b', '2f612062'],
  ['/é€😀', '2fc3a9e282acf09f9880'],
  ['/n\uf7ff1', '2f6eff31'],
  ['\uf780\uf7fe😀\uf7ff', '80fef09f9880ff'],
  ['', ''],
] as const) {
  test(`${JSON.stringify(path)} is the bytes ${hex}`, () => {
    assert.equal(pathBytes(path).toString('hex'), hex);
  });
}
