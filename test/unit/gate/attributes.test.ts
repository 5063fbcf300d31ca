import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changeIma } from '../../../src/ima/ima.js';
import { parsePolicy } from '../../../src/ima/policy/parse-policy.js';
import { Policy } from '../../../src/ima/policy/policy.js';
import type { FakeFile } from '../../helpers/fake-transport.js';
import { policyMachine } from '../../helpers/policy-machine.js';
import { EACCES, GateFixture, O_WRONLY } from './fixture.js';

const ALLOWED = 0;
const CONTAINER = 2n;

/** Somebody of `scope` gives the file an owner, or a size, while it is open for writing. */
async function change(
  gate: GateFixture,
  file: FakeFile,
  { uid = file.uid, truncated = false, scope = 1n },
): Promise<void> {
  file.uid = uid;
  file.version += 1;
  const open = gate.transport.open(file, gate.namespaces.caller(scope), { writers: 1 });
  assert.equal(await gate.attributes.changed({ ...open, kind: 'attributes', truncated }), 0);
}

const read = (gate: GateFixture, file: FakeFile, scope = 1n) =>
  gate.opened(file, { writers: 1 }, scope).then(({ errno }) => errno);

function selinuxPolicy(...rules: string[]): Policy {
  const parsed = parsePolicy(rules.join('\n'), 'test', { ...policyMachine, lsm: 'selinux' });
  assert.ok(parsed.ok);
  return new Policy(parsed.value);
}

const labelled = (file: FakeFile): boolean => file.xattr !== undefined;

test('beside its writer a file that passed passes on, unless another rule wants more', async () => {
  const gate = new GateFixture('stack', 'appraise appraise_type=imasig fowner=7', 'appraise');
  const file = gate.good('file');
  await gate.opened(file, { flags: O_WRONLY });
  file.lease = 'busy';
  gate.transport.rewrite(file, 'other');
  assert.equal(await read(gate, file), ALLOWED);
  await change(gate, file, { uid: 8 });
  assert.equal(await read(gate, file), ALLOWED);
  await change(gate, file, { uid: 7 });
  assert.equal(await read(gate, file), EACCES);
});

test('what passed does not outlive a truncation', async () => {
  const gate = new GateFixture('stack', 'appraise');
  const file = gate.good('file');
  await gate.opened(file, { flags: O_WRONLY });
  file.lease = 'busy';
  gate.transport.rewrite(file, 'short');
  await change(gate, file, { truncated: true });
  assert.equal(await read(gate, file), EACCES);
});

test('whoever gives it to an owner of no rule leaves its label as it was', async () => {
  for (const scope of [1n, CONTAINER]) {
    const gate = new GateFixture('stack', 'appraise fowner=1000');
    await gate.namespaces.activated(CONTAINER, []);
    const file = gate.transport.add('new', '', { isNew: true });
    await gate.opened(file, { flags: O_WRONLY, created: true });
    gate.transport.rewrite(file, 'content');
    await change(gate, file, { uid: 7, scope });
    await gate.release(file);
    assert.equal(labelled(file), false);
  }
});

test('one that a rule hashes is labelled nevertheless, and so is one whose label decides', async () => {
  for (const rules of [['hash', 'appraise fowner=1000'], ['appraise obj_type=bin_t']]) {
    const gate = new GateFixture('stack');
    const { ima } = gate.namespaces.registry.system;
    const file = gate.transport.add('new', '', { isNew: true });
    changeIma(ima, { policy: selinuxPolicy('appraise') });
    await gate.opened(file, { flags: O_WRONLY, created: true });
    changeIma(ima, { policy: selinuxPolicy(...rules) });
    gate.transport.rewrite(file, 'content');
    await change(gate, file, { uid: 7 });
    await gate.release(file);
    assert.equal(labelled(file), true, rules.join());
  }
});
