import * as certificate from './certificate.js';
import * as elf from './elf.js';
import * as list from './list.js';
import * as modsig from './modsig.js';
import * as pkcs7 from './pkcs7.js';
import * as policy from './policy.js';
import * as signature from './signature.js';
import type { Target } from './target.js';
import * as xattr from './xattr.js';

/** What can be fuzzed, by its name for FUZZ_TARGET. */
export const targets: Readonly<Record<string, Target>> = {
  certificate,
  elf,
  list,
  modsig,
  pkcs7,
  policy,
  signature,
  xattr,
};
