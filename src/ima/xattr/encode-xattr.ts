import { hashAlgorithmByName } from '../digest/hash-algorithms.js';
import type { Digest } from '../ports.js';
import { IMA_XATTR_DIGEST, IMA_XATTR_DIGEST_NG } from './decode-xattr.js';

const HASH_ALGO_SHA1 = 2;

/**
 * The security.ima for a digest as ima_fix_xattr (ima_appraise.c) writes it: type 0x01 up to sha1 by
 * id, else 0x04 and the algorithm's byte. Throws for an algorithm the kernel has no number for; the
 * algorithm is never a caller's input, so that would be a bug.
 */
export function encodeXattr({ algorithm, bytes }: Digest): Uint8Array {
  const facts = hashAlgorithmByName(algorithm);
  if (!facts) {
    throw new Error(`no kernel id for hash algorithm ${algorithm}`);
  }
  const prefix = facts.id <= HASH_ALGO_SHA1 ? [IMA_XATTR_DIGEST] : [IMA_XATTR_DIGEST_NG, facts.id];
  const value = new Uint8Array(prefix.length + bytes.length);
  value.set(prefix);
  value.set(bytes, prefix.length);
  return value;
}
