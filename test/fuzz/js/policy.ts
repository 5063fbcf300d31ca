/** The policy language, which the root of any container writes, or names a file of. */
import assert from 'node:assert/strict';
import { builtinPolicy } from '../../../src/ima/policy/builtin.js';
import type { PolicyMachine } from '../../../src/ima/policy/condition.js';
import { decodePolicy } from '../../../src/ima/policy/decode-policy.js';
import { lintPolicy } from '../../../src/ima/policy/lint/lint-policy.js';
import { loggedWords } from '../../../src/ima/policy/logged-words.js';
import { matchPolicy, type PolicyQuery } from '../../../src/ima/policy/match-policy.js';
import {
  type PolicyProblem,
  parsePolicy,
  parsePolicyLine,
} from '../../../src/ima/policy/parse-policy.js';
import { Policy } from '../../../src/ima/policy/policy.js';
import type { Rule } from '../../../src/ima/policy/rule.js';
import { showRule } from '../../../src/ima/policy/show-rule.js';
import { policyLines } from '../../golden/ima/policy-lines.js';
import { policyText, refusedLines } from '../../golden/ima/policy-text.js';
import { onExt4, user } from '../../unit/ima/fakes.js';
import { asNaive, naiveDecision } from '../../unit/ima/policy/naive-matcher.js';
import { assertLinearTime, isOneOf } from './linear-time.js';
import { readBetween } from './surroundings.js';

const CAPABLE: PolicyMachine = { canHash: () => true, lsm: 'selinux' };
const INCAPABLE: PolicyMachine = { canHash: () => false, lsm: undefined };

/** Measuring time takes long: one input in so many is measured. */
const INPUTS_FOR_EACH_TIMED = 512;

export const code = ['src/ima/policy'];

export const longest = 512;

export function seeds(): readonly string[] {
  const builtin = builtinPolicy('tcb|appraise_tcb|secure_boot|critical_data');
  return [
    builtin.ok ? builtin.value.text() : '',
    ...policyLines.map(({ line }) => line),
    ...policyText.map(([written]) => written),
    ...refusedLines,
    'appraise subj_user=u subj_role=r subj_type=t obj_user=u obj_role=r obj_type=t',
  ];
}

export function check(input: Uint8Array): void {
  // As the daemon makes text of what is written, and of a file.
  const text = Buffer.from(input).toString();
  checkDecoded(input);
  const lines = text.split('\n');
  const machine = isOneOf(4, input) ? INCAPABLE : CAPABLE;
  const parsed = parsePolicy(text, 'fuzz', machine);
  if (parsed.ok) {
    checkRules(parsed.value, lines, machine);
  } else {
    checkProblems(parsed.problem, lines);
  }
  lines.forEach((line, index) => checkLine(line, index + 1, machine));
  if (isOneOf(INPUTS_FOR_EACH_TIMED, input)) {
    const parse = (long: string): unknown => parsePolicy(long, 'fuzz', CAPABLE);
    assertLinearTime(text, parse);
    assertLinearTime(text.replaceAll('\n', ' '), parse);
  }
}

/** A file that is no plain text is told so, and what is taken of it has nothing of that left. */
function checkDecoded(input: Uint8Array): void {
  const decoded = readBetween(input, decodePolicy);
  if (!decoded.ok) return;
  assert.doesNotMatch(decoded.value.text, /\0|\r$/m);
  for (const { line, column, message, hint } of decoded.value.problems) {
    assert.ok(line > 0 && column > 0 && message !== '' && hint !== '');
  }
}

/** What is accepted reads back as itself, shown as one whole too, and matches as it should. */
function checkRules(
  rules: readonly Rule[],
  lines: readonly string[],
  machine: PolicyMachine,
): void {
  for (const rule of rules) {
    assert.ok(lines[rule.line - 1]?.includes(rule.action), 'a rule names a line that is not its');
    const shown = showRule(rule);
    const again = parsePolicyLine(shown, rule.line, rule.source, machine);
    assert.deepEqual(again, { ok: true, value: rule });
  }
  const policy = new Policy(rules);
  const whole = parsePolicy(policy.text(), 'fuzz', machine);
  assert.deepEqual(
    whole.ok && whole.value,
    rules.map((rule, index) => ({ ...rule, line: index + 1 })),
  );
  const useless = uselessRules(policy);
  for (const query of QUERIES) {
    const decision = matchPolicy(policy, query, policy.families);
    assert.deepEqual(asNaive(decision), naiveDecision(rules, query));
    const deciding = Object.values(decision.rules);
    assert.ok(!deciding.some((rule) => useless.has(rule)), 'a rule decides that is said not to');
  }
}

/** Rules of which lint says that another one always comes before them. */
function uselessRules(policy: Policy): ReadonlySet<Rule | undefined> {
  const findings = lintPolicy({ policy, backing: undefined });
  const codes = ['shadowed', 'duplicate', 'unreachable'];
  return new Set(findings.filter(({ code }) => codes.includes(code)).map(({ rule }) => rule));
}

const QUERIES: readonly PolicyQuery[] = (
  ['FILE_CHECK', 'MODULE_CHECK', 'KEY_CHECK', 'CRITICAL_DATA', 'POST_SETATTR'] as const
).map((hook, index) => ({
  hook,
  mask: [4, 1, 0, 0, 2][index] ?? 0,
  subject: user(index, { capSetuid: true, suid: 1000, label: 'u:r:t:s0' }),
  object: onExt4(index * 1000, { label: 'u:r:t:s0:c1' }),
  data: '.ima',
}));

/** A problem points at a word of its line, and says something. */
function checkProblems(problems: readonly PolicyProblem[], lines: readonly string[]): void {
  assert.ok(problems.length > 0);
  let last = 0;
  for (const { line, column, token, message, hint } of problems) {
    assert.ok(line > last, 'two problems of one line, or not in order');
    last = line;
    assert.ok(token !== '' && message !== '' && hint !== '');
    assert.equal(lines[line - 1]?.slice(column - 1, column - 1 + token.length), token);
  }
}

/** What is logged of a line has each of its words, up to the one that is not taken. */
function checkLine(text: string, line: number, machine: PolicyMachine): void {
  const parsed = parsePolicyLine(text, line, 'fuzz', machine);
  const logged = loggedWords(text, parsed.ok ? undefined : parsed.problem);
  for (const { key, operator, value } of logged) {
    const isWhole = key === 'UNKNOWN' || key === 'action' ? value : `${key}${operator}${value}`;
    assert.ok(text.includes(isWhole), `${isWhole} was not written`);
  }
}
