import { getHashes } from 'node:crypto';

import { hashAlgorithmByName } from '../ima/digest/hash-algorithms.js';
import { EXIT } from './exit-codes.js';
import { UserError } from './user-error.js';

export const DEFAULT_ALGORITHM = 'sha256';

const ofOpenssl = new Set(getHashes());

/** A kernel name by which node:crypto can hash. Throws a UserError for any other. */
export function demandAlgorithm(name: string): string {
  // OpenSSL knows all kernel names of what it has, rmd160 among them.
  if (hashAlgorithmByName(name) !== undefined && ofOpenssl.has(name)) return name;
  throw new UserError(EXIT.usage, 'bad-option', `hash algorithm '${name}' is not available`);
}
