import type { HashAlgorithm } from '../ports.js';
import { dataHash } from './data-hash.js';

/** Algorithms of PCR banks for which lists and PCRs can be computed, by their kernel names. */
export const bankAlgorithms: readonly HashAlgorithm[] = ['sha1', 'sha256', 'sha384', 'sha512'];

/** The digest of a few bytes, as a PCR bank wants it; files are hashed elsewhere. */
export function bankHash(algorithm: HashAlgorithm, data: Uint8Array): Uint8Array {
  const hash = bankAlgorithms.includes(algorithm) ? dataHash(algorithm, data) : undefined;
  if (!hash) {
    throw new RangeError(`${algorithm} is no algorithm of a PCR bank`);
  }
  return hash;
}
