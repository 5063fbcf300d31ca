import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FakeFile, SYSTEM } from '../../helpers/fake-transport.js';
import { GateFixture } from './fixture.js';

const AUDIT = 'audit fowner=1000';
const EPERM = 1;
const EINVAL = 22;
const SIGNATURE = Buffer.from('0302', 'hex');

const changeEvm = (gate: GateFixture, file: FakeFile, value: Buffer | undefined, uid = 0) => {
  const open = gate.transport.open(file, gate.namespaces.caller(SYSTEM.scope, { uid }));
  return gate.xattr.change({ ...open, kind: 'xattr-change', name: 'security.evm', value });
};

test('security.evm set or removed: the file is judged anew, whatever its version', async () => {
  const gate = new GateFixture('stack', AUDIT);
  const file = gate.good('file');
  const audits = async (): Promise<number> => {
    await gate.opened(file);
    return gate.audited.length;
  };
  assert.equal(await audits(), 1);
  assert.equal(await audits(), 1);
  assert.equal(await changeEvm(gate, file, SIGNATURE), 0);
  assert.equal(await audits(), 2);
  assert.equal(await changeEvm(gate, file, undefined), 0);
  assert.equal(await audits(), 3);
  assert.equal(await changeEvm(gate, file, Buffer.from([2])), EPERM);
  assert.equal(await audits(), 3, 'nothing was changed');
});

test('a refused change of security.evm is told', async () => {
  const gate = new GateFixture('stack', AUDIT);
  const file = gate.good('file');
  assert.equal(await changeEvm(gate, file, SIGNATURE, 1000), EPERM);
  assert.equal(await changeEvm(gate, file, Buffer.alloc(0)), EINVAL);
  const denials = gate.namespaces.registry.system.denials.entries();
  assert.deepEqual(
    denials.map(({ operation, errno }) => `${operation} ${errno}`),
    ['setxattr EPERM', 'setxattr EINVAL'],
  );
});

test('security.evm neither waits for a writer nor vouches for what was written', async () => {
  const gate = new GateFixture('stack', 'appraise fowner=1000');
  const file = gate.good('file');
  await gate.write(file, 'new content');
  file.lease = 'busy';
  const open = gate.transport.open(file, gate.namespaces.caller(SYSTEM.scope));
  const leases = () => gate.transport.done.filter((line) => line.startsWith('lease')).length;
  const before = leases();
  assert.equal(await gate.xattr.read({ ...open, kind: 'xattr-read', name: 'security.evm' }), 0);
  assert.equal(await changeEvm(gate, file, SIGNATURE), 0);
  assert.equal(leases(), before);
  assert.equal(file.unsettled, true);
  assert.equal(gate.journal.size, 1);
});
