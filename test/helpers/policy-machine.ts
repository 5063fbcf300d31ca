import { canHash } from '../../src/binding/hash-algorithms.js';
import type { PolicyMachine } from '../../src/ima/policy/condition.js';

/** A machine as those that tests run on: no security module gives labels. */
export const policyMachine: PolicyMachine = { canHash, lsm: undefined };
