import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parsePolicyLine } from '../../../../src/ima/policy/parse-policy.js';
import { showRule } from '../../../../src/ima/policy/show-rule.js';
import { policyMachine } from '../../../helpers/policy-machine.js';
import { arbitraryRule } from './arbitrary-rule.js';

/** Labels are conditions only where a security module gives them. */
const labelled = { ...policyMachine, lsm: 'selinux' } as const;

test('every rule reads back as itself', () => {
  const id = fc.integer({ min: 0, max: 0xfffffffe });
  fc.assert(
    fc.property(arbitraryRule(id), (rule) => {
      assert.deepEqual(parsePolicyLine(showRule(rule), rule.line, rule.source, labelled), {
        ok: true,
        value: rule,
      });
    }),
  );
});
