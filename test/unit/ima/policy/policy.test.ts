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
    new Set(rules.value.rules.map(({ source }) => source)),
    new Set(['tcb', 'critical_data']),
  );
});

test('a name that is no built-in policy is refused by name', () => {
  const refused = builtinPolicy('tcb|tbc');
  assert.ok(!refused.ok);
  assert.match(refused.problem, /no built-in policy 'tbc'/);
});

test('fail_securely has no rules, and outlives the built-in ones', () => {
  const built = builtinPolicy('fail_securely|critical_data');
  assert.ok(built.ok);
  assert.equal(built.value.text(), 'measure func=CRITICAL_DATA \n');
  const [rule] = policyOf('appraise').rules;
  assert.ok(rule && built.value.replace([rule]).failsSecurely);
  assert.ok(built.value.append([rule]).failsSecurely);
});

test('the first SETXATTR_CHECK rule says which algorithms may be set', () => {
  const rule = (algorithms: string) => `appraise func=SETXATTR_CHECK appraise_algos=${algorithms}`;
  assert.deepEqual(policyOf('measure', rule('sha512,sha256'), rule('sha1')).setxattrAlgorithms, [
    'sha256',
    'sha512',
  ]);
  assert.equal(policyOf('appraise appraise_algos=sha256').setxattrAlgorithms, undefined);
});

test('a file name is told from a built-in policy', () => {
  assert.equal(isBuiltinPolicy('tcb|appraise_tcb'), true);
  assert.equal(isBuiltinPolicy('secure_boot'), true);
  assert.equal(isBuiltinPolicy('/etc/ima/policy'), false);
  assert.equal(isBuiltinPolicy('toString'), false);
});
