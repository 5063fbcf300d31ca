import type { Digest } from '../ports.js';
import { dataHash } from './data-hash.js';
import { hashAlgorithmByName } from './hash-algorithms.js';

/**
 * struct ima_file_id (ima.h): type byte, algorithm byte and the file's digest. Undefined for an algorithm
 * that the kernel has no number for.
 */
export function fileId(
  xattrType: number,
  { algorithm, bytes }: Digest,
): Uint8Array<ArrayBuffer> | undefined {
  const id = hashAlgorithmByName(algorithm)?.id;
  return id === undefined ? undefined : Uint8Array.from([xattrType, id, ...bytes]);
}

/**
 * What signatures of version 3 are over (calc_file_id_hash, ima_appraise.c): the digest of the file id
 * by the same algorithm. Undefined where that is not to be had.
 */
export function fileIdHash(xattrType: number, digest: Digest): Digest | undefined {
  const { algorithm } = digest;
  const id = fileId(xattrType, digest);
  const bytes = id && dataHash(algorithm, id);
  return bytes && { algorithm, bytes };
}
