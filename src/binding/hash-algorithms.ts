/**
 * Kernel names of hash algorithms -> an implementation: OpenSSL's where it has it, else @noble/hashes.
 * Neither has md4, rmd128, rmd256, rmd320, wp*, tgr* or streebog*.
 */
import { createHash, getHashes } from 'node:crypto';
import { md5, ripemd160, sha1 } from '@noble/hashes/legacy.js';
import { sha224, sha256, sha384, sha512 } from '@noble/hashes/sha2.js';
import { sha3_256, sha3_384, sha3_512 } from '@noble/hashes/sha3.js';
import { hashAlgorithmByName } from '../ima/digest/hash-algorithms.js';
import { createVerityHasher } from '../ima/digest/verity-digest.js';

/** A hash under way. */
export interface Hasher {
  update(chunk: Uint8Array): void;
  digest(): Uint8Array;
}

/** hash_algo_name of crypto/hash_info.c -> OpenSSL's name, where they differ. */
const opensslNames: Readonly<Record<string, string>> = { rmd160: 'ripemd160' };

const kernelNames = [
  'md5',
  'sha1',
  'rmd160',
  'sha256',
  'sha384',
  'sha512',
  'sha224',
  'sm3',
  'sha3-256',
  'sha3-384',
  'sha3-512',
] as const;

const nobleHashes: Readonly<Record<string, { create(): Hasher }>> = {
  md5,
  sha1,
  rmd160: ripemd160,
  sha224,
  sha256,
  sha384,
  sha512,
  'sha3-256': sha3_256,
  'sha3-384': sha3_384,
  'sha3-512': sha3_512,
};

const ofOpenssl = new Set(getHashes());

/** What OpenSSL calls the kernel's `algorithm`; undefined where it has none such. */
export const opensslDigestName = (algorithm: string): string | undefined => {
  const name = opensslNames[algorithm] ?? algorithm;
  const isKnown = (kernelNames as readonly string[]).includes(algorithm);
  return isKnown && ofOpenssl.has(name) ? name : undefined;
};

const VERITY_PREFIX = 'verity:';

/** Undefined where there is no implementation of the kernel's `algorithm`, or of fs-verity with it. */
export const createHasher = (algorithm: string): Hasher | undefined => {
  if (algorithm.startsWith(VERITY_PREFIX)) {
    const name = algorithm.slice(VERITY_PREFIX.length);
    return createVerityHasher(name, (block) => createHash(name).update(block).digest());
  }
  const name = opensslDigestName(algorithm);
  if (name !== undefined) return createHash(name);
  return Object.hasOwn(nobleHashes, algorithm) ? nobleHashes[algorithm]?.create() : undefined;
};

/** Whether files can be hashed with the kernel's `algorithm` here. */
export const canHash = (algorithm: string): boolean =>
  hashAlgorithmByName(algorithm) !== undefined && createHasher(algorithm) !== undefined;
