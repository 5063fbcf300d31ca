import type { HashAlgorithm } from '../ports.js';

/** One of the kernel's hash algorithms. */
export interface HashAlgorithmFacts {
  /** enum hash_algo (uapi/linux/hash_info.h), the byte in security.ima. */
  readonly id: number;
  /** hash_algo_name (crypto/hash_info.c) */
  readonly name: HashAlgorithm;
  readonly digestBytes: number;
}

const table: readonly (readonly [name: HashAlgorithm, digestBytes: number])[] = [
  ['md4', 16],
  ['md5', 16],
  ['sha1', 20],
  ['rmd160', 20],
  ['sha256', 32],
  ['sha384', 48],
  ['sha512', 64],
  ['sha224', 28],
  ['rmd128', 16],
  ['rmd256', 32],
  ['rmd320', 40],
  ['wp256', 32],
  ['wp384', 48],
  ['wp512', 64],
  ['tgr128', 16],
  ['tgr160', 20],
  ['tgr192', 24],
  ['sm3', 32],
  ['streebog256', 32],
  ['streebog512', 64],
  ['sha3-256', 32],
  ['sha3-384', 48],
  ['sha3-512', 64],
];

/** All of them; the position is the id. Which of them can be computed is the digester's to say. */
export const hashAlgorithms: readonly HashAlgorithmFacts[] = table.map(
  ([name, digestBytes], id) => ({ id, name, digestBytes }),
);

const byName = new Map(hashAlgorithms.map((facts) => [facts.name, facts]));

/** The algorithm of an id; undefined for a byte the kernel does not know (HASH_ALGO__LAST and up). */
export function hashAlgorithmById(id: number | undefined): HashAlgorithmFacts | undefined {
  return id === undefined ? undefined : hashAlgorithms[id];
}

/** The algorithm of a kernel name, spelled exactly. */
export function hashAlgorithmByName(name: HashAlgorithm): HashAlgorithmFacts | undefined {
  return byName.get(name);
}
