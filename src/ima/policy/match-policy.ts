import type { HashAlgorithm, Hook, ObjectFacts, Subject } from '../ports.js';
import { LSM_WORDS, matchesLabel } from './lsm-conditions.js';
import type { Policy } from './policy.js';
import {
  type ActionFamily,
  type AppraiseType,
  familyOf,
  type IdCondition,
  isDoAction,
  type Rule,
} from './rule.js';

/**
 * Which of the results an iint keeps an appraisal is filed under (kernel IMA_FILE_APPRAISE …,
 * get_subaction). A rule without func= files under FILE whatever the hook.
 */
export type AppraiseSlot = 'FILE' | 'MMAP' | 'BPRM' | 'CREDS' | 'READ';

/** One access as conditions see it. */
export interface PolicyQuery {
  readonly hook: Hook;
  /** MAY_* bits */
  readonly mask: number;
  readonly subject: Subject;
  readonly object: ObjectFacts;
  /** The keyring of KEY_CHECK, the label of CRITICAL_DATA. */
  readonly data?: string;
}

/** What is to be done (ima_match_policy's action mask), and for each family the rule that said so. */
export interface PolicyDecision {
  readonly measure: boolean;
  readonly appraise: AppraiseSlot | undefined;
  readonly audit: boolean;
  readonly hash: boolean;
  /** What the rules that matched demand besides. */
  readonly demands: Demands;
  /** First rule that matched in its family, be it the action or its dont_ twin. */
  readonly rules: Readonly<Partial<Record<ActionFamily, Rule>>>;
}

/**
 * IMA_NONACTION_FLAGS. They hold for the access that the rules matched; the kernel keeps them on the
 * inode until its attributes change, so that there an exec's may still count when the file is read.
 */
export interface Demands {
  /** appraise_type= */
  readonly signature: AppraiseType | undefined;
  /** digest_type=verity, of whichever family. */
  readonly verity: boolean;
  /** permit_directio, of whichever family. */
  readonly permitsDirectIo: boolean;
  /** appraise_algos= */
  readonly algorithms: readonly HashAlgorithm[] | undefined;
  /** ima_policy=fail_securely */
  readonly failsSecurely: boolean;
}

/**
 * ima_match_policy (ima_policy.c): the first rule that matches decides its family, and the walk ends
 * when all families are decided. Only `families` are looked at (ima_policy_flag); with appraisal off
 * leave that one out.
 */
export function matchPolicy(
  policy: Policy,
  query: PolicyQuery,
  families: ReadonlySet<ActionFamily>,
): PolicyDecision {
  const rules: Partial<Record<ActionFamily, Rule>> = {};
  let undecided = families.size;
  let hash = false;
  for (const rule of policy.rules) {
    if (undecided === 0) {
      break;
    }
    const family = familyOf(rule.action);
    if (!families.has(family) || rules[family] || !matchRule(rule, query)) {
      continue;
    }
    rules[family] = rule;
    undecided -= 1;
    // An appraised file is hashed anyway; a hash rule after the appraise rule counts nevertheless.
    if (rule.action === 'appraise') {
      hash = false;
    } else if (rule.action === 'hash') {
      hash = true;
    }
  }
  const demands = (family: ActionFamily): boolean =>
    rules[family] !== undefined && isDoAction(rules[family].action);
  return {
    measure: demands('measure'),
    appraise: demands('appraise') ? appraiseSlot(rules.appraise, query.hook) : undefined,
    audit: demands('audit'),
    hash,
    demands: demandsOf(policy, rules),
    rules,
  };
}

function demandsOf({ failsSecurely }: Policy, rules: PolicyDecision['rules']): Demands {
  const matched = Object.values(rules);
  return {
    signature: rules.appraise?.appraise_type,
    verity: matched.some((rule) => rule.digest_type !== undefined),
    permitsDirectIo: matched.some((rule) => rule.permit_directio === true),
    algorithms: rules.appraise?.appraise_algos,
    failsSecurely,
  };
}

/** ima_match_rules (ima_policy.c): whether every condition of one rule holds. */
export function matchRule(rule: Rule, query: PolicyQuery): boolean {
  const { hook, mask, subject, object } = query;
  // An attribute change asks whether the file is appraised at all, by whatever hook and access.
  const anyAccess = hook === 'POST_SETATTR';
  if (rule.func !== undefined && rule.func !== hook && !anyAccess) {
    return false;
  }
  if (hook === 'KEY_CHECK' || hook === 'CRITICAL_DATA') {
    return rule.func === hook && matchRuleData(rule, query);
  }
  if (rule.mask && !anyAccess && !matchMask(rule.mask, mask)) {
    return false;
  }
  return (
    (rule.fsmagic === undefined || rule.fsmagic === object.fsMagic) &&
    (rule.fsname === undefined || rule.fsname === object.fsName) &&
    (rule.fs_subtype === undefined || rule.fs_subtype === object.fsSubtype) &&
    (rule.fsuuid === undefined || rule.fsuuid === object.fsUuid) &&
    holds(rule.uid, subject.uid) &&
    holds(rule.euid, ...idsOf(subject.capSetuid, subject.euid, subject.suid, subject.uid)) &&
    holds(rule.gid, subject.gid) &&
    holds(rule.egid, ...idsOf(subject.capSetgid, subject.egid, subject.sgid, subject.gid)) &&
    holds(rule.fowner, object.uid) &&
    holds(rule.fgroup, object.gid) &&
    holdsLabels(rule, query)
  );
}

/** ima_match_rule_data: there is no file, and only rules that name the hook are meant. */
function matchRuleData(
  { uid, gid, keyrings, label }: Rule,
  { hook, subject, data }: PolicyQuery,
): boolean {
  const names = hook === 'KEY_CHECK' ? keyrings : label;
  return (
    holds(uid, subject.uid) &&
    holds(gid, subject.gid) &&
    (names === undefined || (data !== undefined && names.includes(data)))
  );
}

/** security_audit_rule_match, for each of the rule's labels. */
function holdsLabels(rule: Rule, { subject, object }: PolicyQuery): boolean {
  return LSM_WORDS.every((word) => {
    const wanted = rule[word];
    const found = word.startsWith('subj_') ? subject.label : object.label;
    return wanted === undefined || matchesLabel(word, wanted, found);
  });
}

function matchMask({ bit, inverted }: NonNullable<Rule['mask']>, mask: number): boolean {
  return inverted ? (mask & bit) !== 0 : mask === bit;
}

/** With the capability to change it, the saved and real id are as good as effective. */
function idsOf(mayChange: boolean, effective: number, saved: number, real: number): number[] {
  return mayChange ? [effective, saved, real] : [effective];
}

function holds(condition: IdCondition | undefined, ...ids: number[]): boolean {
  if (!condition) {
    return true;
  }
  const { comparison, id: bound } = condition;
  return ids.some((id) => {
    switch (comparison) {
      case '=':
        return id === bound;
      case '<':
        return id < bound;
      case '>':
        return id > bound;
      default:
        return comparison satisfies never;
    }
  });
}

/** get_subaction */
function appraiseSlot(rule: Rule | undefined, hook: Hook): AppraiseSlot {
  if (rule?.func === undefined) {
    return 'FILE';
  }
  switch (hook) {
    case 'FILE_CHECK':
    case 'POST_SETATTR':
      return 'FILE';
    case 'MMAP_CHECK':
    case 'MMAP_CHECK_REQPROT':
      return 'MMAP';
    case 'BPRM_CHECK':
      return 'BPRM';
    case 'CREDS_CHECK':
      return 'CREDS';
    default:
      return 'READ';
  }
}
