import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errnoText, Fixture, O_RDONLY, O_RDWR, O_WRONLY } from './fixture.js';

test('the tree hangs at the root of the mount under its one name', async () => {
  const fixture = new Fixture();
  const { attributes } = await fixture.serve('lookup', { node: 0, name: '.ima' });
  assert.equal(attributes?.mode, 0o040777);
  const { errno } = await fixture.serve('lookup', { node: 0, name: '.imb' });
  assert.equal(errnoText(errno), 'ENOENT');
});

test('lookup needs no caller and always gives the same node', async () => {
  const fixture = new Fixture();
  for (const path of ['', 'policy', 'self', '4026532001', '4026532001/policy']) {
    assert.equal(await fixture.node(path), await fixture.node(path), path);
  }
  assert.notEqual(await fixture.node('4026532001/policy'), await fixture.node('4026532002/policy'));
});

test('names that are not there are ENOENT, also other spellings of a number', async () => {
  const fixture = new Fixture();
  const node = await fixture.node('');
  for (const name of ['label', 'status', '04026532001', '4026532004', '7', '..', 'toString']) {
    const { errno } = await fixture.serve('lookup', { node, name });
    assert.equal(errnoText(errno), 'ENOENT', name);
  }
  const inKeys = await fixture.serve('lookup', {
    node: await fixture.node('4026532001/keys'),
    name: 'x',
  });
  assert.equal(errnoText(inKeys.errno), 'ENOENT');
});

test('attributes: open to all at the top, owned by the root of the namespace below', async () => {
  const fixture = new Fixture();
  const stat = async (path: string): Promise<string> => {
    const { attributes } = await fixture.serve('getattr', { node: await fixture.node(path) });
    return `${attributes?.mode.toString(8)} ${attributes?.uid}:${attributes?.gid} ${attributes?.size}`;
  };
  assert.equal(await stat('policy'), '100666 0:0 0');
  assert.equal(await stat('self'), '120777 0:0 0');
  assert.equal(await stat('4026532003'), '40700 100000:100000 0');
  assert.equal(await stat('4026532003/policy'), '100600 100000:100000 0');
  assert.equal(await stat('4026532003/keys'), '40700 100000:100000 0');
});

test('a namespace that comes with a number used before gets new nodes', async () => {
  const fixture = new Fixture();
  const before = await fixture.node('4026532001');
  fixture.container.retire();
  Object.assign(fixture.other, { name: 4_026_532_001 });
  assert.notEqual(await fixture.node('4026532001'), before);
});

test('of a namespace that ended the names are gone, and open files are empty', async () => {
  const fixture = new Fixture();
  const root = fixture.caller(fixture.container);
  const policy = await fixture.node('4026532001/policy');
  const reader = await fixture.open(root, '4026532001/active');
  const writer = await fixture.open(root, '4026532001/mode', O_WRONLY);
  fixture.container.retire();

  const parent = await fixture.node('');
  const gone = await fixture.serve('lookup', { node: parent, name: '4026532001' });
  assert.equal(errnoText(gone.errno), 'ENOENT');
  assert.equal(await reader.read(), '');
  assert.equal(await writer.write('fix\n'), 'EINVAL');
  assert.equal(await writer.flush(), undefined);
  await writer.release();
  assert.deepEqual(fixture.done, []);
  const late = await fixture.serve('open', { node: policy, caller: root, flags: O_RDONLY });
  assert.equal(errnoText(late.errno), 'ESTALE');
  // fstat(2) on a descriptor opened before still answers.
  assert.equal((await fixture.serve('getattr', { node: policy })).errno, 0);
});

test('a listing goes on where the last part stopped', async () => {
  const fixture = new Fixture();
  const caller = fixture.caller(fixture.system);
  const { handle = 0 } = await fixture.serve('opendir', { caller, node: await fixture.node('') });
  const all = (await fixture.serve('readdir', { handle, caller })).entries ?? [];
  const rest = (await fixture.serve('readdir', { handle, caller, offset: 3 })).entries ?? [];
  assert.deepEqual(rest, all.slice(3));
  assert.deepEqual((await fixture.serve('readdir', { handle, caller, offset: 999 })).entries, []);
});

test('access modes: nothing is opened for both, lists not for writing, label not for reading', async () => {
  const fixture = new Fixture();
  const root = fixture.caller(fixture.system);
  for (const name of ['policy', 'namespaces', 'mode', 'violations']) {
    assert.equal(await fixture.openError(root, name, O_RDWR), 'EACCES', name);
  }
  assert.equal(await fixture.openError(root, 'ascii_runtime_measurements', O_WRONLY), 'EACCES');
  assert.equal(await fixture.openError(root, '4026531841/label'), 'EACCES');
  assert.equal(await fixture.openError(root, '4026531841/critical_data'), 'EACCES');
});

test('a request without a caller is refused, a fault of ours is EIO', async () => {
  const fixture = new Fixture({
    statusOf: () => {
      throw new Error('bug');
    },
  });
  const node = await fixture.node('policy');
  assert.equal(errnoText((await fixture.serve('open', { node })).errno), 'EACCES');
  const root = fixture.caller(fixture.system);
  assert.equal(await fixture.openError(root, '4026531841/status'), 'EIO');
});

test('truncation by a shell is accepted and changes nothing', async () => {
  const fixture = new Fixture();
  const node = await fixture.node('policy');
  const answer = await fixture.serve('setattr', { node, caller: fixture.caller(fixture.system) });
  assert.equal(answer.attributes?.size, 0);
});
