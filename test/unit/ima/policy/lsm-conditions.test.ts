import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchesLabel } from '../../../../src/ima/policy/lsm-conditions.js';

const CONTEXT = 'system_u:system_r:sshd_t:s0-s0:c0.c1023';

test('of an SELinux context each word is about its part', () => {
  assert.equal(matchesLabel('subj_user', 'system_u', CONTEXT), true);
  assert.equal(matchesLabel('subj_role', 'system_r', CONTEXT), true);
  assert.equal(matchesLabel('obj_type', 'sshd_t', CONTEXT), true);
  assert.equal(matchesLabel('obj_type', CONTEXT, CONTEXT), false);
  assert.equal(matchesLabel('obj_type', 's', 'u:r:s'), true, 'without a level');
});

test("another module's label counts as a whole, also one of AppArmor in a namespace", () => {
  for (const label of [
    'unconfined',
    '/usr/sbin/sshd',
    ':lxd:profile',
    ':lxd://unconfined',
    'a//&:lxd:b',
  ]) {
    assert.equal(matchesLabel('subj_role', label, label), true, label);
    assert.equal(matchesLabel('subj_role', 'profile', label), false, label);
    assert.equal(matchesLabel('subj_role', 'lxd', label), false, label);
  }
});

test('where there is no label nothing fits', () => {
  assert.equal(matchesLabel('subj_user', 'undefined', undefined), false);
});
