import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loggedWords } from '../../../src/ima/policy/logged-words.js';
import { parsePolicyLine } from '../../../src/ima/policy/parse-policy.js';
import { policyMachine } from '../../helpers/policy-machine.js';
import { loggedLines } from './logged-lines.js';

for (const [line, logged] of loggedLines) {
  test(`${JSON.stringify(line)} is logged as by the kernel`, () => {
    const parsed = parsePolicyLine(line, 1, 'policy', policyMachine);
    const words = loggedWords(line, parsed.ok ? undefined : parsed.problem);
    const text = words.map(({ key, operator, value }) => `${key}${operator}${value}`).join(' ');
    assert.equal(text, logged);
  });
}
