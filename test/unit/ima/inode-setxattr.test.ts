import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IMA_AUDITED } from '../../../src/ima/iint.js';
import { inodeSetxattr } from '../../../src/ima/inode-setxattr.js';
import { FakeAudit, imaOf } from './fakes.js';

/** As captured on Linux 6.1 to 7.3 with ima_hash=sha256 and no md4. */
const answers: readonly (readonly [hex: string, answer: string | undefined])[] = [
  ['', 'EINVAL'],
  ['00', undefined],
  ['01', undefined],
  ['04', undefined],
  ['0404', undefined],
  [`04ff${'00'.repeat(32)}`, undefined],
  ['02', undefined],
  ['03', undefined],
  ['05', undefined],
  ['06', undefined],
  ['07', 'EINVAL'],
  ['08', 'EINVAL'],
  ['09', 'EINVAL'],
  ['ff', 'EINVAL'],
  ['0400', 'EACCES'],
];

const change = (hex: string | undefined, capSysAdmin = true) => ({
  node: 1,
  value: hex === undefined ? undefined : Uint8Array.from(Buffer.from(hex, 'hex')),
  capSysAdmin,
  isAvailable: (algorithm: string) => algorithm !== 'md4',
});

for (const [hex, answer] of answers) {
  test(`setting ${hex || 'an empty value'}: ${answer ?? 'done'}`, () => {
    const audit = new FakeAudit();
    assert.equal(inodeSetxattr(imaOf('enforce'), audit, change(hex)), answer);
    const records = ['1800 set_data unavailable-hash-algorithm res=0'];
    assert.deepEqual(audit.records, answer === 'EACCES' ? records : []);
  });
}

test('without CAP_SYS_ADMIN neither set nor removed', () => {
  for (const hex of ['0404', '', undefined]) {
    assert.equal(inodeSetxattr(imaOf('off'), new FakeAudit(), change(hex, false)), 'EPERM');
  }
});

test('a change voids what was decided, a refused one does not', () => {
  const ima = imaOf('enforce');
  const iint = ima.iints.obtain(1);
  iint.flags = IMA_AUDITED;
  inodeSetxattr(ima, new FakeAudit(), change('09'));
  assert.equal(iint.has(IMA_AUDITED), true);
  inodeSetxattr(ima, new FakeAudit(), change(undefined));
  assert.equal(iint.has(IMA_AUDITED), false);
});
