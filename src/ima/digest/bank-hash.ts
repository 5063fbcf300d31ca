import { sha1 } from '@noble/hashes/legacy.js';
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js';
import type { HashAlgorithm } from '../ports.js';

type Hash = (data: Uint8Array) => Uint8Array;

const HASHES: ReadonlyMap<HashAlgorithm, Hash> = new Map([
  ['sha1', sha1],
  ['sha256', sha256],
  ['sha384', sha384],
  ['sha512', sha512],
]);

/** Algorithms of PCR banks for which lists and PCRs can be computed, by their kernel names. */
export const bankAlgorithms: readonly HashAlgorithm[] = [...HASHES.keys()];

/** The digest of a few bytes, as a PCR bank wants it; files are hashed elsewhere. */
export function bankHash(algorithm: HashAlgorithm, data: Uint8Array): Uint8Array {
  const hash = HASHES.get(algorithm);
  if (!hash) {
    throw new RangeError(`${algorithm} is no algorithm of a PCR bank`);
  }
  return hash(data);
}
