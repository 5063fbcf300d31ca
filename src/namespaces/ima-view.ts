/**
 * One namespace's policy applied to the callers of another: policy, mode and hash are the owner's, what
 * was done about files is kept for the callers' namespace alone, so that no status is ever shared. List
 * and violations are the owner's: one list knows of all who read what it has measured.
 */
import { IintCache } from '../ima/iint.js';
import type { Ima } from '../ima/ima.js';

export const imaView = (owner: Ima, iintCapacity: number): Ima => {
  const iints = new IintCache(iintCapacity);
  return {
    get policy() {
      return owner.policy;
    },
    get mode() {
      return owner.mode;
    },
    get hashAlgorithm() {
      return owner.hashAlgorithm;
    },
    get template() {
      return owner.template;
    },
    get generation() {
      return owner.generation;
    },
    pcr: owner.pcr,
    list: owner.list,
    keyring: owner.keyring,
    violations: owner.violations,
    iints,
  };
};
