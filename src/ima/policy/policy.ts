import type { HashAlgorithm, Hook } from '../ports.js';
import { LSM_WORDS } from './lsm-conditions.js';
import { RecentDecisions } from './recent-decisions.js';
import { type ActionFamily, familyOf, isDoAction, type Rule } from './rule.js';
import { type HookRule, rulesForHook } from './rule-tests.js';
import { showRule } from './show-rule.js';

/** An ordered, immutable list of rules and what can be said about all of them at once. */
export class Policy {
  static readonly empty = new Policy([]);

  readonly rules: readonly Rule[];
  /** Some rule looks at uid, euid, gid or egid: verdicts depend on the caller's credentials. */
  readonly readsCredentials: boolean;
  /** Some rule looks at the caller's label: verdicts cannot be remembered by ids alone. */
  readonly readsSubjectLabel: boolean;
  /** Some rule looks at a file's label. */
  readonly readsObjectLabel: boolean;
  /** SETXATTR_CHECK: what hash algorithms security.ima may be set with; undefined: any that is known. */
  readonly setxattrAlgorithms: readonly HashAlgorithm[] | undefined;
  /** Families some rule demands (ima_policy_flag); a family not in here never needs matching. */
  readonly families: ReadonlySet<ActionFamily>;
  readonly decisions = new RecentDecisions();
  /** Made when a hook is first asked about: most never are. */
  readonly #byHook = new Map<Hook, readonly HookRule[]>();

  constructor(
    rules: readonly Rule[],
    /** ima_policy=fail_securely: what is on a file system that cannot be trusted fails. */
    readonly failsSecurely = false,
  ) {
    this.rules = rules;
    this.readsCredentials = rules.some(
      ({ uid, euid, gid, egid }) => (uid ?? euid ?? gid ?? egid) !== undefined,
    );
    this.readsSubjectLabel = readsLabel(rules, 'subj_');
    this.readsObjectLabel = readsLabel(rules, 'obj_');
    // The first one counts (update_allowed_hash_algorithms).
    this.setxattrAlgorithms = rules.find(({ func }) => func === 'SETXATTR_CHECK')?.appraise_algos;
    this.families = new Set(
      rules.filter(({ action }) => isDoAction(action)).map(({ action }) => familyOf(action)),
    );
  }

  /** Some rule demands `appraise`, `measure`, `audit` or `hash`. */
  has(family: ActionFamily): boolean {
    return this.families.has(family);
  }

  /** The rules that can match at a hook, in order. */
  rulesFor(hook: Hook): readonly HookRule[] {
    const known = this.#byHook.get(hook) ?? rulesForHook(this.rules, hook);
    this.#byHook.set(hook, known);
    return known;
  }

  /** This policy with more rules at its end, as a later update of the kernel's policy file. */
  append(rules: readonly Rule[]): Policy {
    return rules.length === 0 ? this : new Policy([...this.rules, ...rules], this.failsSecurely);
  }

  /** Other rules in place of the built-in ones, as the first update; fail_securely is none of them. */
  replace(rules: readonly Rule[]): Policy {
    return new Policy(rules, this.failsSecurely);
  }

  /** As the kernel shows it: one rule per line, a space before each newline. */
  text(): string {
    return this.rules.map((rule) => `${showRule(rule)}\n`).join('');
  }
}

/** A function, for it is called while this file is evaluated. */
function readsLabel(rules: readonly Rule[], of: 'subj_' | 'obj_'): boolean {
  return rules.some((rule) =>
    LSM_WORDS.some((word) => word.startsWith(of) && rule[word] !== undefined),
  );
}
