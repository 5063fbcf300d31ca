import { getHashes } from 'node:crypto';

import { activeLsm } from '../base/active-lsm.js';
import { hashAlgorithmByName } from '../ima/digest/hash-algorithms.js';
import type { PolicyMachine } from '../ima/policy/condition.js';

const hashes = new Set(getHashes());

/** Whether files can be hashed here; OpenSSL knows all kernel names of what it has, rmd160 among them. */
export function canHash(algorithm: string): boolean {
  return hashAlgorithmByName(algorithm) !== undefined && hashes.has(algorithm);
}

/** This machine, as parsing a policy asks for it. */
export function policyMachine(): PolicyMachine {
  return { canHash, lsm: activeLsm() };
}
