import { conditions } from './conditions.js';
import { lexPolicyLine } from './lex-policy-line.js';
import type { PolicyProblem } from './parse-policy.js';
import type { IdCondition } from './rule.js';
import { actions } from './rule.js';

/** A word of a rule as ima_log_string_op (ima_policy.c) writes it: `uid<5`. */
export interface LoggedWord {
  readonly key: string;
  readonly operator: IdCondition['comparison'];
  readonly value: string;
}

/**
 * What ima_parse_rule logs of one line (record 1807): each word as it reads it, also the one it then
 * cannot take, after which it stops. A word it does not know at all is UNKNOWN=WORD.
 */
export function loggedWords(line: string, problem: PolicyProblem | undefined): LoggedWord[] {
  const tokens = lexPolicyLine(line);
  const last = problem === undefined || problem.isWhole ? Infinity : problem.column;
  return tokens.filter(({ column }) => column <= last).flatMap(({ text }) => loggedWord(text));
}

function loggedWord(text: string): LoggedWord[] {
  if (actions.some((action) => action === text)) {
    return [{ key: 'action', operator: '=', value: text }];
  }
  // The one word without a value; the kernel leaves it out.
  if (text === 'permit_directio') {
    return [];
  }
  const [, key = '', sign = '', value = ''] = /^([^=<>]+)([=<>])(.+)$/s.exec(text) ?? [];
  const operator = operatorsOf(key).find((known) => known === sign);
  return operator === undefined
    ? [{ key: 'UNKNOWN', operator: '=', value: text }]
    : [{ key, operator, value }];
}

function operatorsOf(key: string): readonly IdCondition['comparison'][] {
  return conditions.find(({ name }) => name === key)?.comparisons ?? [];
}
