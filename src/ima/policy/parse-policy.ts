import { failure, type Result, success } from '../../base/result.js';
import {
  type Comparison,
  type Complaint,
  type Condition,
  type ConditionName,
  complain,
  type PolicyMachine,
} from './condition.js';
import { conditions } from './conditions.js';
import { lexPolicyLine, type Token } from './lex-policy-line.js';
import { nearestWord } from './nearest-word.js';
import { actions, type Rule } from './rule.js';
import { validateRule } from './validate-rule.js';

/** Why a line is refused; line and column are 1-based. */
export interface PolicyProblem {
  readonly line: number;
  readonly column: number;
  /** The word at fault, as written. */
  readonly token: string;
  readonly message: string;
  /** What to write instead. */
  readonly hint: string;
  /** The line was read to its end: each word is right, and together they are no rule. */
  readonly isWhole: boolean;
  /** What write(2) fails with, where that is not EINVAL. */
  readonly errno?: 'ERANGE';
}

/** Nobody mends more at a time, and each hint costs time: a whole file may be of another kind. */
export const MOST_PROBLEMS = 100;

const KNOWN_WORDS = [...actions, ...conditions.map(wordOf)];

/** A rule in the making, and which token gave each of its parts. */
interface Draft {
  readonly rule: Partial<Rule>;
  readonly givenBy: ReadonlyMap<'action' | ConditionName, Token>;
}

/**
 * One line of a policy (ima_parse_add_rule, ima_policy.c), without its newline; undefined for an
 * empty line or a comment. Takes any text and never throws.
 */
export function parsePolicyLine(
  text: string,
  line: number,
  source: string,
  machine: PolicyMachine,
): Result<Rule | undefined, PolicyProblem> {
  const tokens = lexPolicyLine(text);
  const [first] = tokens;
  if (!first) {
    return success(undefined);
  }
  const report = (
    token: Token,
    { message, hint, errno }: Complaint,
    isWhole: boolean,
  ): Result<never, PolicyProblem> =>
    failure({
      line,
      column: token.column,
      token: token.text,
      message,
      hint,
      isWhole,
      ...(errno && { errno }),
    });

  let draft: Draft = { rule: {}, givenBy: new Map() };
  for (const token of tokens) {
    const next = addWord(draft, token, machine);
    if (!next.ok) {
      return report(token, next.problem, false);
    }
    draft = next.value;
  }
  const { action } = draft.rule;
  if (action === undefined) {
    const hint = `begin it with ${actions.join(', ')}`;
    return report(first, { message: 'the rule has no action', hint }, true);
  }
  const rule: Rule = { ...draft.rule, action, source, line };
  const misfit = validateRule(rule);
  return misfit ? report(draft.givenBy.get(misfit.about) ?? first, misfit, true) : success(rule);
}

/**
 * A whole policy: every rule, or the first problem of each line, up to a hundred. The last newline may
 * be missing.
 */
export function parsePolicy(
  text: string,
  source: string,
  machine: PolicyMachine,
): Result<Rule[], PolicyProblem[]> {
  const rules: Rule[] = [];
  const problems: PolicyProblem[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const parsed = parsePolicyLine(line, index + 1, source, machine);
    if (!parsed.ok) {
      problems.push(parsed.problem);
      if (problems.length === MOST_PROBLEMS) break;
    } else if (parsed.value) {
      rules.push(parsed.value);
    }
  }
  return problems.length > 0 ? failure(problems) : success(rules);
}

/** One turn of ima_parse_rule's loop. */
function addWord(draft: Draft, token: Token, machine: PolicyMachine): Result<Draft, Complaint> {
  if (token.text.endsWith('\r')) {
    return complain('the line ends with a carriage return', 'convert the file with dos2unix');
  }
  const action = actions.find((word) => word === token.text);
  if (action) {
    return draft.rule.action === undefined
      ? success(extend(draft, 'action', { action }, token))
      : complain('the rule has two actions', 'write one rule per line');
  }
  const found = readWord(token.text);
  if (!found.ok) {
    return found;
  }
  const { condition, comparison, value } = found.value;
  const { name } = condition;
  if (draft.givenBy.has(name) && !condition.repeatable) {
    return complain(`${name} is given twice`, 'leave one of them out');
  }
  if (condition.insteadOf && draft.givenBy.has(condition.insteadOf)) {
    return complain(`${name} cannot be used with ${condition.insteadOf}`, 'write two rules');
  }
  if (condition.after && draft.rule.action !== condition.after) {
    const hint = `write ${condition.after} before ${name}=`;
    return complain(`${name} goes with ${condition.after} only`, hint);
  }
  const parsed = condition.parse(value, comparison, draft.rule, machine);
  return parsed.ok ? success(extend(draft, name, parsed.value, token)) : parsed;
}

interface Word {
  readonly condition: Condition;
  readonly comparison: Comparison;
  readonly value: string;
}

/** Which condition a word is, by the operators it takes (policy_tokens). */
function readWord(text: string): Result<Word, Complaint> {
  const [, name = '', sign, value = ''] = /^([^=<>]*)([=<>]?)(.*)$/s.exec(text) ?? [];
  const condition = conditions.find((known) => known.name === name);
  if (condition?.comparisons.length === 0 && sign === '') {
    return success({ condition, comparison: '=', value });
  }
  const comparison = condition?.comparisons.find((known) => known === sign);
  return condition && comparison && value !== ''
    ? success({ condition, comparison, value })
    : complainOfWord(text, condition, value);
}

function wordOf({ name, comparisons }: Condition): string {
  return comparisons.length === 0 ? name : `${name}=`;
}

function extend(
  { rule, givenBy }: Draft,
  part: 'action' | ConditionName,
  addition: Partial<Rule>,
  token: Token,
): Draft {
  return { rule: { ...rule, ...addition }, givenBy: new Map([...givenBy, [part, token]]) };
}

function complainOfWord(
  word: string,
  condition: Condition | undefined,
  value: string,
): Result<never, Complaint> {
  if (condition?.comparisons.length === 0) {
    return complain(`${condition.name} takes no value`, `write ${condition.name}`);
  }
  if (condition && value !== '') {
    return complain(`${condition.name} takes only '='`, `write ${condition.name}=${value}`);
  }
  if (condition) {
    return complain(
      `${condition.name} has no value`,
      `write ${condition.name}=VALUE without spaces`,
    );
  }
  const head = /^[^=<>]*=?/.exec(word)?.[0] ?? word;
  const nearest = nearestWord(head, KNOWN_WORDS);
  return complain(
    `unknown word '${word}'`,
    nearest ? `did you mean ${nearest}?` : 'see Documentation/ABI/testing/ima_policy of the kernel',
  );
}
