import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hashAlgorithms } from '../../../../src/ima/digest/hash-algorithms.js';
import {
  decodeXattr,
  hashAlgorithmOfXattr,
  isSignature,
} from '../../../../src/ima/xattr/decode-xattr.js';
import { encodeXattr } from '../../../../src/ima/xattr/encode-xattr.js';

const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));
const header = (type: string, version: string, algorithm: string): string =>
  `${type}${version}${algorithm}0000000000ff00`;

const algorithmOf: readonly (readonly [hex: string, algorithm: string, why: string])[] = [
  ['', 'sha512', 'an empty value names none'],
  ['04', 'sha512', 'one byte names none'],
  ['0404', 'sha256', 'the byte behind 04'],
  ['0416', 'sha3-512', 'the last the kernel knows'],
  ['0417', 'sha512', 'the first it does not know'],
  [`01${'ab'.repeat(20)}`, 'sha1', '20 bytes'],
  [`01${'ab'.repeat(16)}`, 'md5', '16 bytes'],
  [`01${'ab'.repeat(16)}00000000`, 'md5', '16 bytes padded to 20'],
  [`01${'ab'.repeat(16)}00000001`, 'sha1', '20 bytes that nearly look padded'],
  [`01${'ab'.repeat(19)}`, 'sha512', 'a length nobody writes'],
  [header('03', '02', '06'), 'sha512', 'a v2 signature by its header'],
  [header('03', '02', '02'), 'sha1', 'a v2 signature by its header'],
  [header('03', '03', '02'), 'sha1', 'a v3 signature by its header (7.1)'],
  [header('03', '01', '02'), 'sha512', 'a v1 signature has another header'],
  [header('06', '03', '02'), 'sha1', 'a verity signature is v3'],
  [header('06', '02', '02'), 'sha512', 'a verity signature of another version'],
  [header('03', '02', '02').slice(0, 18), 'sha512', 'a header and no signature'],
  [header('03', '02', 'ff'), 'sha512', 'an unknown algorithm in a header'],
  ['0504', 'sha512', 'a type that has no digest'],
];

for (const [hex, algorithm, why] of algorithmOf) {
  test(`algorithm of ${hex || 'nothing'}: ${algorithm}, ${why}`, () => {
    assert.equal(hashAlgorithmOfXattr(bytesOf(hex), 'sha512'), algorithm);
  });
}

test('no bytes make the decoder throw, nor the algorithm unknown', () => {
  const names = new Set(hashAlgorithms.map(({ name }) => name));
  const value = fc.oneof(
    fc.uint8Array({ maxLength: 80 }),
    fc
      .tuple(fc.integer({ min: 0, max: 7 }), fc.uint8Array({ maxLength: 80 }))
      .map(([type, rest]) => Uint8Array.from([type, ...rest])),
  );
  fc.assert(
    fc.property(value, (bytes) => {
      assert.equal(decodeXattr(bytes) === undefined, bytes.length === 0);
      assert.ok(names.has(hashAlgorithmOfXattr(bytes, 'sha256')));
      isSignature(bytes);
    }),
  );
});

test('what is written is read back, with the label of ima_fix_xattr', () => {
  for (const { id, name, digestBytes } of hashAlgorithms) {
    const bytes = new Uint8Array(digestBytes).fill(7);
    const xattr = encodeXattr({ algorithm: name, bytes });
    assert.deepEqual([...xattr.subarray(0, 2)], id <= 2 ? [1, 7] : [4, id]);
    const decoded = decodeXattr(xattr);
    assert.ok(decoded?.kind === 'digest');
    assert.deepEqual(decoded.bytes, bytes);
    // md4 would be taken for md5, which only a kernel with ima_hash=md4 could write.
    assert.equal(hashAlgorithmOfXattr(xattr, 'sha256'), name === 'md4' ? 'md5' : name);
  }
});

test('the table is the kernel’s', () => {
  const known = ['md4', 'md5', 'sha1', 'sha256', 'sha512', 'sm3', 'sha3-512'];
  const ids = known.map((name) => hashAlgorithms.findIndex((facts) => facts.name === name));
  assert.deepEqual(ids, [0, 1, 2, 4, 6, 17, 22]);
  assert.equal(hashAlgorithms.length, 23);
});
