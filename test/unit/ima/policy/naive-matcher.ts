/** ima_match_policy a second time, after its C text and with no thought of speed, to compare with. */
import type { matchPolicy, PolicyQuery } from '../../../../src/ima/policy/match-policy.js';
import type { ActionFamily, IdCondition, Rule } from '../../../../src/ima/policy/rule.js';

/** The kernel's bits: an action, its dont_ twin one bit higher. */
const ACTION_BITS = {
  measure: 1,
  dont_measure: 2,
  appraise: 4,
  dont_appraise: 8,
  audit: 16,
  dont_audit: 32,
  hash: 64,
  dont_hash: 128,
} as const;

/** The actions without their twins (IMA_DO_MASK). */
const DO = 0x55;

/** The bits of the actions that are demanded of an access, and the rule that decided each family. */
export interface NaiveDecision {
  readonly bits: number;
  readonly rules: Readonly<Partial<Record<ActionFamily, Rule>>>;
}

export function naiveDecision(policy: readonly Rule[], query: PolicyQuery): NaiveDecision {
  const flag = policy.reduce((sum, { action }) => sum | (ACTION_BITS[action] & DO), 0);
  let actmask = flag | (flag << 1);
  let bits = 0;
  const rules: Partial<Record<ActionFamily, Rule>> = {};
  for (const rule of policy) {
    const bit = ACTION_BITS[rule.action];
    if ((bit & actmask) !== 0 && naiveMatch(rule, query)) {
      bits |= bit & DO;
      if (rule.action === 'appraise') bits &= ~ACTION_BITS.hash;
      actmask &= ~(bit & DO ? bit | (bit << 1) : bit | (bit >> 1));
      rules[rule.action.replace('dont_', '') as ActionFamily] = rule;
    }
  }
  return { bits, rules };
}

/** What matchPolicy says, in the same form. */
export function asNaive({
  measure,
  appraise,
  audit,
  hash,
  rules,
}: ReturnType<typeof matchPolicy>): NaiveDecision {
  const { measure: M, appraise: A, audit: U, hash: H } = ACTION_BITS;
  const demanded = [measure && M, appraise && A, audit && U, hash && H];
  return { bits: demanded.reduce<number>((sum, bit) => sum | Number(bit ?? 0), 0), rules };
}

/** ima_match_rules as a list of reasons not to match. */
function naiveMatch(rule: Rule, query: PolicyQuery): boolean {
  const { hook, mask, subject: s, object: o, data = '' } = query;
  const post = hook === 'POST_SETATTR';
  if (hook === 'KEY_CHECK' || hook === 'CRITICAL_DATA') {
    const names = rule.keyrings ?? rule.label ?? [data];
    if (!names.includes(data)) return false;
    return rule.func === hook && is(rule.uid, [s.uid]) && is(rule.gid, [s.gid]);
  }
  if (rule.func && rule.func !== hook && !post) return false;
  if (rule.mask && !post) {
    if (rule.mask.inverted ? !(mask & rule.mask.bit) : mask !== rule.mask.bit) return false;
  }
  if (rule.fsmagic !== undefined && rule.fsmagic !== o.fsMagic) return false;
  if (rule.fsname !== undefined && rule.fsname !== o.fsName) return false;
  if (rule.fs_subtype !== undefined && rule.fs_subtype !== o.fsSubtype) return false;
  if (rule.fsuuid !== undefined && rule.fsuuid !== o.fsUuid) return false;
  const [objUser, objRole, objType] = partsOf(o.label);
  if (rule.obj_user !== undefined && rule.obj_user !== objUser) return false;
  if (rule.obj_role !== undefined && rule.obj_role !== objRole) return false;
  if (rule.obj_type !== undefined && rule.obj_type !== objType) return false;
  const [subjUser, subjRole, subjType] = partsOf(s.label);
  if (rule.subj_user !== undefined && rule.subj_user !== subjUser) return false;
  if (rule.subj_role !== undefined && rule.subj_role !== subjRole) return false;
  if (rule.subj_type !== undefined && rule.subj_type !== subjType) return false;
  if (!is(rule.uid, [s.uid]) || !is(rule.gid, [s.gid])) return false;
  if (!is(rule.euid, s.capSetuid ? [s.uid, s.euid, s.suid] : [s.euid])) return false;
  if (!is(rule.egid, s.capSetgid ? [s.gid, s.egid, s.sgid] : [s.egid])) return false;
  return is(rule.fowner, [o.uid]) && is(rule.fgroup, [o.gid]);
}

function is(condition: IdCondition | undefined, ids: number[]): boolean {
  if (!condition) return true;
  const { comparison, id } = condition;
  if (comparison === '=') return ids.includes(id);
  return comparison === '<' ? Math.min(...ids) < id : Math.max(...ids) > id;
}

/** User, role and type of an SELinux label; a label of another module is each of them. */
function partsOf(label: string | undefined): readonly (string | undefined)[] {
  const parts = label?.split(':') ?? [];
  return parts.length < 3 ? [label, label, label] : parts;
}
