/** security.evm through the mount: who may change it, to what, and that the file is judged anew. */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { parseAuditLine } from '../helpers/audit-lines.js';
import { PROTECTED, useImafs } from '../helpers/imafs.js';

/** Type 1805, of the `audit` action. */
const AUDIT_RULE = 1805;
const SIGNATURE = `0302${'00'.repeat(7)}`;
const PORTABLE = `0502${'00'.repeat(7)}`;

const POLICY = [`audit func=FILE_CHECK mask=MAY_READ fowner=${PROTECTED}`];
const imafs = useImafs({ policy: POLICY });

/** How often the file was judged so far. */
const timesJudged = (name: string): number =>
  imafs
    .auditLines()
    .map(parseAuditLine)
    .filter(({ type, fields }) => type === AUDIT_RULE && fields['file']?.endsWith(`/${name}`))
    .length;

imafs.test('set, read and removed, with a signature of either type', async () => {
  const file = imafs.put('set', 'text');
  for (const value of [SIGNATURE, PORTABLE]) {
    assert.deepEqual(
      await imafs.system.xt(`setx ${file} security.evm ${value} , getx ${file} security.evm`),
      ['setx=ok', `getx=ok ${value}`],
    );
  }
  assert.deepEqual(await imafs.system.xt(`rmx ${file} security.evm , getx ${file} security.evm`), [
    'rmx=ok',
    'getx=ENODATA',
  ]);
});

imafs.test('another type or nothing is refused, and what was there stays', async () => {
  const file = imafs.put('types', 'text');
  await imafs.system.xt(`setx ${file} security.evm ${SIGNATURE}`);
  for (const [value, errno] of [
    ['', 'EINVAL'],
    ['00', 'EPERM'],
    [`02${'00'.repeat(20)}`, 'EPERM'],
    ['0404', 'EPERM'],
    ['06', 'EPERM'],
    ['ff', 'EPERM'],
  ]) {
    const set = `setx ${file} security.evm ${value}`;
    assert.deepEqual(await imafs.system.xt(set), [`setx=${errno}`], value);
  }
  assert.deepEqual(await imafs.system.xt(`getx ${file} security.evm`), [`getx=ok ${SIGNATURE}`]);
});

imafs.test('it is for root of the initial user namespace only', async () => {
  const file = imafs.put('others', 'text');
  await imafs.system.xt(`setx ${file} security.evm ${SIGNATURE}`);
  const change = `setx ${file} security.evm ${PORTABLE} , rmx ${file} security.evm`;
  assert.deepEqual(await imafs.system.xt(change, { uid: PROTECTED }), ['setx=EPERM', 'rmx=EPERM']);
  const inUserNamespace = await imafs.container({ userRoot: PROTECTED });
  assert.deepEqual(await inUserNamespace.xt(change), ['setx=EPERM', 'rmx=EPERM']);
});

for (const [what, change] of [
  ['setting', `setx FILE security.evm ${SIGNATURE}`],
  ['changing', `setx FILE security.evm ${PORTABLE}`],
  ['removing', 'rmx FILE security.evm'],
] as const) {
  imafs.test(`${what} it: the next open is judged anew`, async () => {
    const file = imafs.put(what, 'text');
    if (what !== 'setting') await imafs.system.xt(`setx ${file} security.evm ${SIGNATURE}`);
    // Remembered is what was quiet for a tick of the kernel's clock.
    await sleep(20);
    await imafs.system.xt(`open r ${file} , open r ${file} , open r ${file}`);
    assert.equal(timesJudged(what), 1);
    await imafs.system.xt(`${change.replace('FILE', file)} , open r ${file}`);
    assert.equal(timesJudged(what), 2);
  });
}

describe('in memory, where extended attributes may be of any size', () => {
  const inMemory = useImafs({ backing: 'tmpfs', policy: POLICY });

  inMemory.test('one as large as can be is set, sent along with an open, and read', async () => {
    const file = inMemory.put('large', 'text');
    const script = `import os
value = b'\\x03' + b'x' * 65535
os.setxattr('${file}', 'security.evm', value)
assert open('${file}').read() == 'text'
assert os.getxattr('${file}', 'security.evm') == value
os.setxattr('${file}', 'security.ima', b'\\x04' + value[:100])
assert open('${file}').read() == 'text'`;
    await inMemory.system.ok(['python3', '-c', script]);
  });
});
