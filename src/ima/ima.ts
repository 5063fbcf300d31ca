import { IintCache } from './iint.js';
import { Keyring } from './keyring/keyring.js';
import { Policy } from './policy/policy.js';
import type { AppraiseMode, HashAlgorithm, ListPort } from './ports.js';
import type { Template } from './template/template.js';
import { ViolationFlags } from './violation-flags.js';

/** The state of one namespace's IMA. Change it only through the functions below. */
export interface Ima {
  policy: Policy;
  mode: AppraiseMode;
  /** ima_hash=: for files whose security.ima names none, and for hashes written at last close. */
  hashAlgorithm: HashAlgorithm;
  /** ima_template=: for violations, and for rules without template=. */
  template: Template;
  /** CONFIG_IMA_MEASURE_PCR_IDX: for violations, and for rules without pcr=. */
  readonly pcr: number;
  readonly list: ListPort;
  /** .ima and .blacklist */
  readonly keyring: Keyring;
  /** Moves with policy, mode, hash, template, keys and list: what was decided under another one is void. */
  generation: number;
  readonly iints: IintCache;
  readonly violations: ViolationFlags;
}

export interface ImaOptions {
  readonly mode: AppraiseMode;
  readonly hashAlgorithm: HashAlgorithm;
  readonly template: Template;
  readonly pcr: number;
  readonly list: ListPort;
  /** Empty unless given. */
  readonly keyring?: Keyring;
  readonly policy?: Policy;
  /** Inodes remembered at most. */
  readonly iintCapacity: number;
}

export function createIma({ policy, keyring, iintCapacity, ...options }: ImaOptions): Ima {
  return {
    ...options,
    policy: policy ?? Policy.empty,
    keyring: keyring ?? new Keyring(),
    generation: 0,
    iints: new IintCache(iintCapacity),
    violations: new ViolationFlags(),
  };
}

/** Changes settings (none: the list began anew, or keys were added); voids every result so far by moving the generation. */
export function changeIma(
  ima: Ima,
  change: Partial<Pick<Ima, 'policy' | 'mode' | 'hashAlgorithm' | 'template'>>,
): void {
  Object.assign(ima, change);
  ima.generation += 1;
}
