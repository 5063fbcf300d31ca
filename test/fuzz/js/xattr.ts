/** security.ima, which whoever may write a backing directory, or mounts it from elsewhere, can set. */
import assert from 'node:assert/strict';
import { hashAlgorithmByName, hashAlgorithms } from '../../../src/ima/digest/hash-algorithms.js';
import {
  decodeXattr,
  hashAlgorithmOfXattr,
  type ImaXattr,
  isSignature,
} from '../../../src/ima/xattr/decode-xattr.js';
import { encodeXattr } from '../../../src/ima/xattr/encode-xattr.js';
import { readBetween } from './surroundings.js';

const STANDARD = 'sha512';

export const code = ['src/ima/xattr', 'src/ima/digest/hash-algorithms.ts'];

/** Signatures with keys of 4096 bits have 521. */
export const longest = 1024;

/** A label of each algorithm, and signatures with headers of each kind. */
export function seeds(): readonly Uint8Array[] {
  const labels = hashAlgorithms.map(({ name, digestBytes }) =>
    encodeXattr({ algorithm: name, bytes: new Uint8Array(digestBytes).fill(name.length) }),
  );
  const signatures = ['0302', '0303', '0603', '0502', '0301'].flatMap((typeAndVersion) =>
    hashAlgorithms.map(({ id }) =>
      Buffer.from(
        `${typeAndVersion}${id.toString(16).padStart(2, '0')}010203040004aabbccdd`,
        'hex',
      ),
    ),
  );
  return [...labels, ...signatures];
}

export function check(input: Uint8Array): void {
  const { xattr, algorithm, signed } = readBetween(input, (value) => ({
    xattr: decodeXattr(value),
    algorithm: hashAlgorithmOfXattr(value, STANDARD),
    signed: isSignature(value),
  }));
  assert.ok(hashAlgorithmByName(algorithm), `${algorithm} is no hash algorithm`);
  assert.equal(signed, xattr?.kind === 'signature');
  assert.equal(xattr?.type, input[0]);
  if (xattr?.kind === 'digest') {
    checkDigest(input, xattr, algorithm);
  }
}

/** The digest is what stands behind the type; one of its algorithm's length says the same if written again. */
function checkDigest(
  input: Uint8Array,
  { bytes, algorithmUnknown }: ImaXattr & { kind: 'digest' },
  algorithm: string,
): void {
  assert.equal(Buffer.compare(bytes, input.subarray(input.length - bytes.length)), 0);
  if (algorithmUnknown) {
    assert.equal(algorithm, STANDARD);
  } else if (bytes.length === hashAlgorithmByName(algorithm)?.digestBytes) {
    const again = decodeXattr(encodeXattr({ algorithm, bytes }));
    assert.deepEqual(again?.kind === 'digest' && Buffer.from(again.bytes), Buffer.from(bytes));
  }
}
