import { IintCache } from './iint.js';
import { Policy } from './policy/policy.js';
import type { AppraiseMode, HashAlgorithm } from './ports.js';

/** The state of one namespace's IMA. Change it only through the functions below. */
export interface Ima {
  policy: Policy;
  mode: AppraiseMode;
  /** ima_hash=: for files whose security.ima names none, and for hashes written at last close. */
  hashAlgorithm: HashAlgorithm;
  /** Moves with policy, mode and hash: what was decided under another one is void. */
  generation: number;
  readonly iints: IintCache;
}

export interface ImaOptions {
  readonly mode: AppraiseMode;
  readonly hashAlgorithm: HashAlgorithm;
  readonly policy?: Policy;
  /** Inodes remembered at most. */
  readonly iintCapacity: number;
}

export function createIma({ mode, hashAlgorithm, policy, iintCapacity }: ImaOptions): Ima {
  return {
    policy: policy ?? Policy.empty,
    mode,
    hashAlgorithm,
    generation: 0,
    iints: new IintCache(iintCapacity),
  };
}

/** Changes policy, mode or hash algorithm; voids every result so far by moving the generation. */
export function changeIma(
  ima: Ima,
  change: Partial<Pick<Ima, 'policy' | 'mode' | 'hashAlgorithm'>>,
): void {
  Object.assign(ima, change);
  ima.generation += 1;
}
