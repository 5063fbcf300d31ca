import * as elf from './elf.js';
import * as list from './list.js';
import * as policy from './policy.js';
import type { Target } from './target.js';
import * as xattr from './xattr.js';

/** What can be fuzzed, by its name for FUZZ_TARGET. */
export const targets: Readonly<Record<string, Target>> = { elf, list, policy, xattr };
