import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fixture, O_WRONLY } from './fixture.js';

const TOP_FILES = ['policy', 'violations', 'active', 'mode', 'ascii_runtime_measurements'];

test('the root of a container may use its own directory', async () => {
  const fixture = new Fixture();
  const root = fixture.caller(fixture.container);
  assert.equal(await fixture.openError(root, '4026532001/policy'), undefined);
  assert.equal(await fixture.openError(root, '4026532001/status'), undefined);
  assert.equal(Array.isArray(await fixture.names(root, '4026532001')), true);
});

test('the root of a container may use nothing of another one or of the system', async () => {
  const fixture = new Fixture();
  const root = fixture.caller(fixture.container);
  for (const directory of ['4026532002', '4026531841']) {
    assert.equal(await fixture.names(root, directory), 'EACCES');
    for (const name of ['policy', 'status', 'mode', 'denials', 'events', 'violations']) {
      assert.equal(await fixture.openError(root, `${directory}/${name}`), 'EACCES', name);
    }
    assert.equal(await fixture.openError(root, `${directory}/label`, O_WRONLY), 'EACCES');
  }
});

test("the system's root may use every directory", async () => {
  const fixture = new Fixture();
  const root = fixture.caller(fixture.system);
  for (const { name } of fixture.namespaces.filter(({ isActive }) => isActive)) {
    assert.equal(await fixture.openError(root, `${name}/policy`), undefined);
    assert.equal(Array.isArray(await fixture.names(root, `${name}/keys`)), true);
  }
});

test('an unprivileged caller gets EACCES everywhere, and looks names up like everybody', async () => {
  const fixture = new Fixture();
  const user = fixture.caller(fixture.system, { uid: 1000, capable: false });
  for (const name of TOP_FILES) assert.equal(await fixture.openError(user, name), 'EACCES');
  assert.equal(await fixture.names(user, ''), 'EACCES');
  const self = await fixture.serve('readlink', { node: await fixture.node('self'), caller: user });
  assert.equal(self.errno, 13);
});

test('root that lost CAP_SYS_ADMIN is nobody', async () => {
  const fixture = new Fixture();
  const root = fixture.caller(fixture.container, { capable: false });
  assert.equal(await fixture.openError(root, '4026532001/policy'), 'EACCES');
});

test('a user with CAP_SYS_ADMIN who is not root is nobody', async () => {
  const fixture = new Fixture();
  const user = fixture.caller(fixture.container, { uid: 1000 });
  assert.equal(await fixture.openError(user, '4026532001/policy'), 'EACCES');
});

test('root of the user namespace that owns the mount namespace may use its directory', async () => {
  const fixture = new Fixture();
  const root = fixture.caller(fixture.remapped);
  assert.equal(root.credentials.fsuid, 100_000);
  assert.equal(await fixture.openError(root, '4026532003/policy'), undefined);
  assert.equal(await fixture.openError(root, 'policy'), undefined);
});

test('root of a user namespace of its own, inside a container that is not its, is nobody', async () => {
  const fixture = new Fixture();
  const root = fixture.caller(fixture.container, { uid: 0, ownsNamespace: false });
  assert.equal(await fixture.openError(root, '4026532001/policy'), 'EACCES');
  assert.equal(await fixture.openError(root, 'policy'), 'EACCES');
});

test("root of a user namespace in the system's mount namespace is not the system's root", async () => {
  const fixture = new Fixture();
  const root = fixture.caller(fixture.system, { uid: 0, ownsNamespace: false });
  assert.equal(await fixture.openError(root, '4026532001/policy'), 'EACCES');
  assert.equal(await fixture.openError(root, '4026531841/policy'), 'EACCES');
});

test('an owner whose root is mapped to nobody has no own root', async () => {
  const fixture = new Fixture();
  const owner = { userNamespace: 1, rootUid: undefined, rootGid: undefined };
  const root = fixture.caller(fixture.container, { owner, uid: 0 });
  assert.equal(await fixture.openError(root, '4026532001/policy'), 'EACCES');
});

test('borrowed credentials and io workers are nobody, and so is a caller that cannot be read', async () => {
  const fixture = new Fixture();
  const root = fixture.caller(fixture.system);
  const leaderScope = { scope: 1n, scopeName: 4_026_531_841 };
  for (const caller of [
    { ...root, borrowed: true },
    { ...root, leaderScope },
    { ...root, requestUid: 1000 },
    { ...root, tid: 1 },
  ]) {
    assert.equal(await fixture.openError(caller, 'policy'), 'EACCES');
  }
});

test('the top shows the system all namespaces and a container its own', async () => {
  const fixture = new Fixture();
  const ofSystem = await fixture.names(fixture.caller(fixture.system), '');
  const ofContainer = await fixture.names(fixture.caller(fixture.container), '');
  assert.ok(Array.isArray(ofSystem) && Array.isArray(ofContainer));
  assert.ok(['4026531841', '4026532001', '4026532003'].every((name) => ofSystem.includes(name)));
  assert.deepEqual(
    ofContainer.filter((name) => /^\d/.test(name)),
    ['4026532001'],
  );
  assert.ok(ofContainer.includes('self') && ofContainer.includes('namespaces'));
  assert.equal(ofContainer.includes('label'), false);
});

test('self leads each reader to its own directory', async () => {
  const fixture = new Fixture();
  const node = await fixture.node('self');
  for (const namespace of [fixture.system, fixture.container, fixture.inactive]) {
    const answer = await fixture.serve('readlink', { node, caller: fixture.caller(namespace) });
    assert.equal(Buffer.from(answer.data ?? []).toString(), String(namespace.name));
  }
});

test('what a handle may do is decided at open, not by who uses it later', async () => {
  const fixture = new Fixture();
  const file = await fixture.open(fixture.caller(fixture.container), 'mode', O_WRONLY);
  const stranger = fixture.caller(fixture.other, { uid: 1000, capable: false });
  assert.equal(await file.write('fix\n', stranger), 4);
  assert.deepEqual(fixture.done, ['mode 4026532001 fix']);
});

test('under replace the own root may look, but not activate, load or set', async () => {
  const fixture = new Fixture({ nsPolicy: 'replace' });
  const root = fixture.caller(fixture.container);
  for (const name of ['active', 'policy', 'mode', 'hash', 'template_name']) {
    assert.equal(await fixture.openError(root, name, O_WRONLY), 'EPERM', name);
    assert.equal(await fixture.openError(root, `4026532001/${name}`, O_WRONLY), 'EPERM', name);
  }
  assert.equal(await fixture.openError(root, '4026532001/tpm', O_WRONLY), 'EPERM');
  // Reading a policy needs what writing it needs.
  assert.equal(await fixture.openError(root, 'policy'), 'EPERM');
  assert.equal(await fixture.read(root, 'mode'), 'enforce\n');
  const system = fixture.caller(fixture.system);
  assert.equal(await fixture.write(system, '4026532001/mode', 'fix\n'), undefined);
});
