import type { HashAlgorithm, Hook } from '../ports.js';

/** What a rule does. */
export type Action =
  | 'measure'
  | 'dont_measure'
  | 'appraise'
  | 'dont_appraise'
  | 'audit'
  | 'dont_audit'
  | 'hash'
  | 'dont_hash';

/** An action and its dont_ twin are one family: the first rule that matches decides it. */
export type ActionFamily = 'measure' | 'appraise' | 'audit' | 'hash';

/** `uid=5`, `uid>5`, `uid<5`. */
export interface IdCondition {
  readonly comparison: '=' | '<' | '>';
  readonly id: number;
}

/** `mask=MAY_READ` (equal) or `mask=^MAY_READ` (a bit in common); one MAY_* bit either way. */
export interface MaskCondition {
  readonly bit: number;
  readonly inverted: boolean;
}

/** Which signatures do: v2 or v3; v3 alone; v2, v3 or one appended to the file. */
export type AppraiseType = 'imasig' | 'sigv3' | 'imasig|modsig';

/**
 * One rule, its parts by the names the policy language has for them. A condition that is absent
 * matches everything. The kernel keeps uid and euid in one
 * place, as it does gid and egid, so that a rule has at most one of each pair.
 */
export interface Rule {
  readonly action: Action;
  readonly func?: Hook;
  readonly mask?: MaskCondition;
  /** 64 bit: a bigint where a number cannot hold it. */
  readonly fsmagic?: number | bigint;
  readonly fsname?: string;
  readonly fs_subtype?: string;
  /** lower case */
  readonly fsuuid?: string;
  readonly uid?: IdCondition;
  readonly euid?: IdCondition;
  readonly gid?: IdCondition;
  readonly egid?: IdCondition;
  readonly fowner?: IdCondition;
  readonly fgroup?: IdCondition;
  readonly obj_user?: string;
  readonly obj_role?: string;
  readonly obj_type?: string;
  readonly subj_user?: string;
  readonly subj_role?: string;
  readonly subj_type?: string;
  /** KEY_CHECK: keyrings by name; absent: all. */
  readonly keyrings?: readonly string[];
  /** CRITICAL_DATA: labels of sources; absent: all. */
  readonly label?: readonly string[];
  /** The file's fs-verity digest counts, not that of its content. */
  readonly digest_type?: 'verity';
  /** A signature is demanded. */
  readonly appraise_type?: AppraiseType;
  /** No effect since 6.6: written, taken, and not kept. */
  readonly appraise_flag?: never;
  /** Hash algorithms that will do, in the order of their ids; absent: any. */
  readonly appraise_algos?: readonly HashAlgorithm[];
  /** O_DIRECT is let through although nothing is known of what it reads. */
  readonly permit_directio?: true;
  /** PCR that is extended instead of the usual one. */
  readonly pcr?: number;
  /** Name of the template used instead of the usual one. */
  readonly template?: string;
  /** Where the rule came from: a file name, a built-in policy's name, `policy` … */
  readonly source: string;
  /** 1-based line in that source. */
  readonly line: number;
}

const FAMILIES: Readonly<Record<Action, ActionFamily>> = {
  measure: 'measure',
  dont_measure: 'measure',
  appraise: 'appraise',
  dont_appraise: 'appraise',
  audit: 'audit',
  dont_audit: 'audit',
  hash: 'hash',
  dont_hash: 'hash',
};

/** The words that may begin a rule. */
export const actions = Object.keys(FAMILIES) as readonly Action[];

/** The family a rule decides. */
export function familyOf(action: Action): ActionFamily {
  return FAMILIES[action];
}

/** Whether a rule demands its action instead of ruling it out. */
export function isDoAction(action: Action): boolean {
  return FAMILIES[action] === action;
}
