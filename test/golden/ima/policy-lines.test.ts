import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builtinPolicy } from '../../../src/ima/policy/builtin.js';
import { parsePolicyLine } from '../../../src/ima/policy/parse-policy.js';
import { Policy } from '../../../src/ima/policy/policy.js';
import { showRule } from '../../../src/ima/policy/show-rule.js';
import { policyLines, policyLinesNotYet } from './policy-lines.js';
import { appraiseTcbText, policyText, refusedLines, tcbText } from './policy-text.js';

for (const { line, kernel } of policyLines) {
  test(`${JSON.stringify(line)} is ${kernel}, as by the kernel`, () => {
    assert.equal(parsePolicyLine(line, 1).ok ? 'accepted' : 'EINVAL', kernel);
  });
}

for (const { line } of policyLinesNotYet) {
  test(`${JSON.stringify(line)} is refused, not ignored`, () => {
    const parsed = parsePolicyLine(line, 1);
    assert.ok(!parsed.ok);
    assert.match(parsed.problem.message, /not supported yet/);
    assert.ok(line.includes(parsed.problem.token));
  });
}

for (const line of refusedLines) {
  test(`${line} is refused`, () => assert.equal(parsePolicyLine(line, 1).ok, false));
}

for (const [written, shown] of policyText) {
  test(`${written} reads back as the kernel shows it`, () => {
    const parsed = parsePolicyLine(written, 1);
    assert.ok(parsed.ok && parsed.value);
    assert.equal(showRule(parsed.value), shown);
  });
}

for (const [name, lines] of [
  ['tcb', tcbText],
  ['appraise_tcb', appraiseTcbText],
  ['appraise_tcb|tcb', [...tcbText, ...appraiseTcbText]],
] as const) {
  test(`built-in policy ${name} reads back as the kernel shows it`, () => {
    const rules = builtinPolicy(name);
    assert.ok(rules.ok);
    assert.equal(new Policy(rules.value).text(), lines.map((line) => `${line}\n`).join(''));
  });
}
