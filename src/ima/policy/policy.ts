import { type ActionFamily, familyOf, isDoAction, type Rule } from './rule.js';
import { showRule } from './show-rule.js';

/** An ordered, immutable list of rules and what can be said about all of them at once. */
export class Policy {
  static readonly empty = new Policy([]);

  readonly rules: readonly Rule[];
  /** Some rule looks at uid, euid, gid or egid: verdicts depend on the caller's credentials. */
  readonly readsCredentials: boolean;
  /** Families some rule demands (ima_policy_flag); a family not in here never needs matching. */
  readonly families: ReadonlySet<ActionFamily>;

  constructor(rules: readonly Rule[]) {
    this.rules = rules;
    this.readsCredentials = rules.some(
      ({ uid, euid, gid, egid }) => (uid ?? euid ?? gid ?? egid) !== undefined,
    );
    this.families = new Set(
      rules.filter(({ action }) => isDoAction(action)).map(({ action }) => familyOf(action)),
    );
  }

  /** Some rule demands `appraise`, `measure`, `audit` or `hash`. */
  has(family: ActionFamily): boolean {
    return this.families.has(family);
  }

  /** This policy with more rules at its end, as a later update of the kernel's policy file. */
  append(rules: readonly Rule[]): Policy {
    return rules.length === 0 ? this : new Policy([...this.rules, ...rules]);
  }

  /** As the kernel shows it: one rule per line, a space before each newline. */
  text(): string {
    return this.rules.map((rule) => `${showRule(rule)}\n`).join('');
  }
}
