import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evmInodeSetxattr } from '../../../src/ima/evm-inode-setxattr.js';
import { IMA_AUDITED } from '../../../src/ima/iint.js';
import { imaOf } from './fakes.js';

const change = (hex: string | undefined, capSysAdmin = true) => ({
  node: 1,
  value: hex === undefined ? undefined : Uint8Array.from(Buffer.from(hex, 'hex')),
  capSysAdmin,
});

const answers: readonly (readonly [hex: string | undefined, answer: string | undefined])[] = [
  ['', 'EINVAL'],
  ['00', 'EPERM'],
  ['01', 'EPERM'],
  [`02${'00'.repeat(20)}`, 'EPERM'],
  ['03', undefined],
  ['0302', undefined],
  ['04', 'EPERM'],
  ['05', undefined],
  ['0502', undefined],
  ['06', 'EPERM'],
  ['07', 'EPERM'],
  ['ff', 'EPERM'],
  [undefined, undefined],
];

for (const [hex, answer] of answers) {
  const what = hex === undefined ? 'removing it' : `setting ${hex || 'an empty value'}`;
  test(`${what}: ${answer ?? 'done'}, and only then what is known of the file is void`, () => {
    const ima = imaOf('enforce');
    const iint = ima.iints.obtain(1);
    iint.flags = IMA_AUDITED;
    assert.equal(evmInodeSetxattr(ima, change(hex)), answer);
    assert.equal(iint.has(IMA_AUDITED), answer !== undefined);
  });
}

test('without CAP_SYS_ADMIN neither set nor removed', () => {
  for (const hex of ['0302', '', undefined]) {
    assert.equal(evmInodeSetxattr(imaOf('off'), change(hex, false)), 'EPERM');
  }
});
