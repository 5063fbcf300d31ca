import { md5, ripemd160, sha1 } from '@noble/hashes/legacy.js';
import { sha224, sha256, sha384, sha512 } from '@noble/hashes/sha2.js';
import { sha3_256, sha3_384, sha3_512 } from '@noble/hashes/sha3.js';
import type { HashAlgorithm } from '../ports.js';

const HASHES: ReadonlyMap<HashAlgorithm, (data: Uint8Array) => Uint8Array> = new Map([
  ['md5', md5],
  ['sha1', sha1],
  ['rmd160', ripemd160],
  ['sha256', sha256],
  ['sha384', sha384],
  ['sha512', sha512],
  ['sha224', sha224],
  ['sha3-256', sha3_256],
  ['sha3-384', sha3_384],
  ['sha3-512', sha3_512],
]);

/** The digest of a few bytes by a kernel algorithm; undefined for one that is not to be had here. */
export function dataHash(algorithm: HashAlgorithm, data: Uint8Array): Uint8Array | undefined {
  return HASHES.get(algorithm)?.(data);
}
