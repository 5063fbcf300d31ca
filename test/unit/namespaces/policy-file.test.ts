import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PROTECTED_XATTRS } from '../../../src/ima/evm/protected-xattrs.js';
import { POLICY_FILE_XATTRS, PolicyFile } from '../../../src/namespaces/policy-file.js';
import { fileOfCaller } from '../../helpers/file-of-caller.js';

const FILE_SYSTEM = { fsName: 'ext4', fsSubtype: undefined, fsUuid: undefined };

test('all that a portable signature of EVM covers is looked at', () => {
  const xattrs = POLICY_FILE_XATTRS.map((name) => Buffer.from(`value of ${name}`));
  const file = new PolicyFile({ ...fileOfCaller('audit\n'), xattrs }, FILE_SYSTEM);
  for (const name of ['security.evm', ...PROTECTED_XATTRS]) {
    assert.equal(String(file.xattr(name)), `value of ${name}`);
  }
  assert.equal(String(file.imaXattr), 'value of security.ima');
  assert.equal(file.xattr('user.other'), undefined);
});
