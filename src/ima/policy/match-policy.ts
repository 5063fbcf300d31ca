import type { HashAlgorithm, Hook, ObjectFacts, Subject } from '../ports.js';
import type { Policy } from './policy.js';
import { type ActionFamily, type AppraiseType, isDoAction, type Rule } from './rule.js';
import { type Test, testsOf } from './rule-tests.js';

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
  const { hook, mask, subject, object, data } = query;
  // As long as whoever writes it likes, and seldom twice the same.
  if (data !== undefined) return decide(policy, query, families);
  // All of it, so that no condition to come can be forgotten here: equal texts are decided alike.
  const label = policy.readsObjectLabel ? object.label : undefined;
  const asked = JSON.stringify([hook, mask, [...families], subject, object, label]);
  return (
    policy.decisions.find(asked) ?? policy.decisions.keep(asked, decide(policy, query, families))
  );
}

function decide(
  policy: Policy,
  query: PolicyQuery,
  families: ReadonlySet<ActionFamily>,
): PolicyDecision {
  const rules: Partial<Record<ActionFamily, Rule>> = {};
  const undecided = new Set(families);
  let hash = false;
  for (const { rule, family, tests } of policy.rulesFor(query.hook)) {
    if (undecided.size === 0) {
      break;
    }
    if (!undecided.has(family) || !holdAll(tests, query)) {
      continue;
    }
    rules[family] = rule;
    undecided.delete(family);
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

/** Whether every condition of one rule holds. */
export function matchRule(rule: Rule, query: PolicyQuery): boolean {
  const tests = testsOf(rule, query.hook);
  return tests !== undefined && holdAll(tests, query);
}

function holdAll(tests: readonly Test[], query: PolicyQuery): boolean {
  // The loop of every miss, over all rules: faster than every().
  for (const test of tests) {
    if (!test(query)) return false;
  }
  return true;
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
