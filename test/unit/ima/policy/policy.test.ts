import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builtinPolicy, isBuiltinPolicy } from '../../../../src/ima/policy/builtin.js';
import { Policy } from '../../../../src/ima/policy/policy.js';
import { policyOf } from '../fakes.js';

test('appending leaves the policy as it was', () => {
  const first = policyOf('measure');
  const both = first.append(policyOf('appraise fowner=0').rules);
  assert.equal(first.rules.length, 1);
  assert.equal(both.text(), 'measure \nappraise fowner=0 \n');
  assert.equal(Policy.empty.text(), '');
});

test('a policy knows what it demands and whether it reads credentials', () => {
  const policy = policyOf('dont_measure', 'audit fowner=0', 'hash fgroup>1');
  assert.deepEqual([...policy.families], ['audit', 'hash']);
  assert.equal(policy.has('measure'), false);
  assert.equal(policy.readsCredentials, false);
  for (const id of ['uid=0', 'euid>0', 'gid<1', 'egid=7']) {
    assert.equal(policyOf(`dont_audit ${id}`).readsCredentials, true);
  }
});

test('rules of a built-in policy say where they come from', () => {
  const rules = builtinPolicy('critical_data | tcb');
  assert.ok(rules.ok);
  assert.deepEqual(
    new Set(rules.value.map(({ source }) => source)),
    new Set(['tcb', 'critical_data']),
  );
});

test('built-in policies that cannot be expressed are refused by name', () => {
  const refused = (text: string): string => {
    const rules = builtinPolicy(text);
    return rules.ok ? 'accepted' : rules.problem;
  };
  assert.match(refused('tcb|secure_boot'), /secure_boot is not supported yet/);
  assert.match(refused('fail_securely'), /fail_securely is not supported yet/);
  assert.match(refused('tbc'), /no built-in policy 'tbc'/);
});

test('a file name is told from a built-in policy', () => {
  assert.equal(isBuiltinPolicy('tcb|appraise_tcb'), true);
  assert.equal(isBuiltinPolicy('secure_boot'), true);
  assert.equal(isBuiltinPolicy('/etc/ima/policy'), false);
  assert.equal(isBuiltinPolicy('toString'), false);
});
