import type { Digest } from '../ports.js';
import { dataHash } from './data-hash.js';
import { hashAlgorithmByName } from './hash-algorithms.js';

/**
 * What signatures of version 3 are over (calc_file_id_hash, ima_appraise.c): the digest of type byte,
 * algorithm byte and the file's digest, by the same algorithm. Undefined where that is not to be had.
 */
export function fileIdHash(xattrType: number, digest: Digest): Digest | undefined {
  const { algorithm } = digest;
  const id = hashAlgorithmByName(algorithm)?.id;
  const bytes =
    id === undefined
      ? undefined
      : dataHash(algorithm, Uint8Array.from([xattrType, id, ...digest.bytes]));
  return bytes && { algorithm, bytes };
}
