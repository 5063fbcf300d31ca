import { failure, type Result } from '../../base/result.js';
import { nearestWord } from './nearest-word.js';
import type { Action, IdCondition, Rule } from './rule.js';

export type Comparison = IdCondition['comparison'];

/** The words that may stand before a comparison. */
export type ConditionName = Exclude<keyof Rule, 'action' | 'source' | 'line'>;

/** What is wrong with a value, and what to write instead. */
export interface Complaint {
  readonly message: string;
  readonly hint: string;
  /** What write(2) fails with, where that is not EINVAL: kstrtoul's, for more than 64 bits. */
  readonly errno?: 'ERANGE';
}

/** What parsing asks the machine that the policy is for. */
export interface PolicyMachine {
  /** Whether files can be hashed with a kernel algorithm (crypto_has_alg). */
  readonly canHash: (algorithm: string) => boolean;
  /** The security module whose labels subj_* and obj_* mean; undefined where there is none. */
  readonly lsm: Lsm | undefined;
}

/** Security modules that answer security_audit_rule_init. */
export type Lsm = 'selinux' | 'smack' | 'apparmor';

/** One kind of condition or option: how it is written, read and shown. */
export interface Condition {
  readonly name: ConditionName;
  /** None: the word stands for itself. */
  readonly comparisons: readonly Comparison[];
  /** May be given again, the last counting (the kernel does not look). */
  readonly repeatable?: true;
  /** The kernel keeps both in one place: a rule has one of them at most. */
  readonly insteadOf?: ConditionName;
  /** Read only behind this action. */
  readonly after?: Action;
  /** `rule` is what was read of it so far. */
  readonly parse: (
    value: string,
    comparison: Comparison,
    rule: Partial<Rule>,
    machine: PolicyMachine,
  ) => Result<Partial<Rule>, Complaint>;
  /** `name=value` in canonical form, undefined where the rule has no such condition. */
  readonly show: (rule: Rule) => string | undefined;
}

export function complain(message: string, hint: string): Result<never, Complaint> {
  return failure({ message, hint });
}

/** kstrtoul of a number that 64 bits cannot hold. */
export function outOfRange(value: string, hint: string): Result<never, Complaint> {
  return failure({ message: `${value} is out of range`, hint, errno: 'ERANGE' });
}

export function unknownWord(
  name: ConditionName,
  word: string,
  known: readonly string[],
): Result<never, Complaint> {
  const nearest = nearestWord(word, known);
  const hint = nearest ? `did you mean ${nearest}?` : `${name} takes ${known.join(', ')}`;
  return complain(`'${word}' is not a ${name}`, hint);
}
