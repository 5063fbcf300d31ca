import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builtinPolicy } from '../../../src/ima/policy/builtin.js';
import { parsePolicyLine } from '../../../src/ima/policy/parse-policy.js';
import { showRule } from '../../../src/ima/policy/show-rule.js';
import { policyMachine } from '../../helpers/policy-machine.js';
import { policyLines } from './policy-lines.js';
import { appraiseTcbText, policyText, refusedLines, tcbText } from './policy-text.js';

for (const { line, kernel } of policyLines) {
  test(`${JSON.stringify(line)} is ${kernel}, as by the kernel`, () => {
    assert.equal(
      parsePolicyLine(line, 1, 'policy', policyMachine).ok ? 'accepted' : 'EINVAL',
      kernel,
    );
  });
}

for (const line of refusedLines) {
  test(`${line} is refused`, () =>
    assert.equal(parsePolicyLine(line, 1, 'policy', policyMachine).ok, false));
}

for (const [written, shown] of policyText) {
  test(`${written} reads back as the kernel shows it`, () => {
    const parsed = parsePolicyLine(written, 1, 'policy', policyMachine);
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
    assert.equal(rules.value.text(), lines.map((line) => `${line}\n`).join(''));
  });
}
