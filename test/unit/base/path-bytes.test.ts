import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pathBytes, pathText } from '../../../src/base/path-bytes.js';

for (const [path, hex] of [
  ['/a b', '2f612062'],
  ['/é€😀', '2fc3a9e282acf09f9880'],
  ['/n\uf7ff1', '2f6eff31'],
  ['\uf780\uf7fe😀\uf7ff', '80fef09f9880ff'],
  ['', ''],
] as const) {
  test(`${JSON.stringify(path)} is the bytes ${hex}, and they are it`, () => {
    assert.equal(pathBytes(path).toString('hex'), hex);
    assert.equal(pathText(Buffer.from(hex, 'hex')), path);
  });
}

test('any bytes come back, those of an escaped one and broken sequences among them', () => {
  for (const hex of [
    'ef9e80',
    'efbfbd',
    'c3',
    'c328',
    'e282',
    'f09f98',
    'eda080',
    'c0af',
    '61ff62',
  ]) {
    const bytes = Buffer.from(hex, 'hex');
    assert.deepEqual(pathBytes(pathText(bytes)), bytes, hex);
  }
});
