import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { IMA_COLLECTED } from '../../../src/ima/iint.js';
import { changeIma } from '../../../src/ima/ima.js';
import { EACCES, GateFixture } from './fixture.js';

const RULE = 'appraise fowner=1000';
const CONTAINER = 2n;
const ALLOWED = 0;

test('what was written through the mount is labelled when its writer has ended', async () => {
  const gate = new GateFixture('stack', RULE);
  const file = gate.good('file');
  await gate.write(file, 'new content');
  assert.equal(gate.journal.size, 1);
  await gate.release(file);
  assert.deepEqual(file.xattr, gate.transport.label(file));
  assert.equal(file.unsettled, false);
  assert.equal(gate.journal.size, 0);
  assert.equal(gate.transport.leasesHeld, 0);
  assert.equal((await gate.opened(file)).errno, ALLOWED);
});

test('an open settles by itself, and what was hashed then serves it although it is fresh', async () => {
  const gate = new GateFixture('stack', RULE);
  const file = gate.good('file');
  await gate.writeAndMap(file, 'new content');
  gate.transport.done.length = 0;
  assert.equal((await gate.opened(file, { fresh: true })).errno, ALLOWED);
  const hashed = gate.transport.done.filter((step) => step.startsWith('hash'));
  assert.deepEqual(hashed, ['hash /file leased']);
});

test('a file without rules is settled without being read', async () => {
  const gate = new GateFixture('stack');
  const file = gate.good('file');
  await gate.write(file, 'new content');
  await gate.release(file);
  assert.deepEqual(
    gate.transport.done.filter((step) => step.startsWith('hash')),
    [],
  );
  assert.equal(file.unsettled, false);
  assert.equal(gate.journal.size, 0, 'nothing would be missing after a crash');
});

test('a new file gets its first label', async () => {
  const gate = new GateFixture('stack', RULE);
  const file = gate.transport.add('new', '', { isNew: true });
  await gate.write(file, 'first content');
  file.isNew = false;
  await gate.release(file);
  assert.deepEqual(file.xattr, gate.transport.label(file));
});

test('while a writer is there, an earlier pass stands for its own namespace only', async () => {
  const gate = new GateFixture('stack', RULE);
  const file = gate.good('file');
  await gate.opened(file, {}, 5n);
  await gate.write(file, 'half of it', 1n);
  file.lease = 'busy';
  assert.equal((await gate.opened(file, {}, 1n)).errno, ALLOWED);
  assert.equal((await gate.opened(file, {}, 5n)).errno, EACCES);
  await gate.write(file, 'more', 5n);
  assert.equal(file.unsettled, true);
});

test('a refusal waits a moment for a close whose RELEASE is on its way', async () => {
  const gate = new GateFixture('stack', RULE);
  const file = gate.good('file');
  await gate.write(file, 'new content', 1n);
  file.lease = 'busy';
  setTimeout(() => {
    file.lease = 'granted';
    gate.settling.released(file.node);
  }, 2);
  assert.equal((await gate.opened(file, {}, 5n)).errno, ALLOWED);
});

for (const when of ['hash', 'xattr'] as const) {
  test(`a lease broken at the ${when}: nothing of ours is left, the file stays unsettled`, async () => {
    const gate = new GateFixture('stack', RULE);
    const file = gate.good('file');
    const before = file.xattr;
    await gate.write(file, 'new content');
    gate.transport.meanwhile = (what) => {
      if (what === when) gate.transport.breakLease(file);
    };
    await gate.release(file);
    assert.deepEqual(file.xattr, before);
    assert.equal(file.unsettled, true);
    assert.equal(gate.journal.size, 1);
    // The second writer has ended too.
    gate.transport.meanwhile = () => undefined;
    file.lease = 'granted';
    await gate.release(file);
    assert.deepEqual(file.xattr, gate.transport.label(file));
    assert.equal(file.unsettled, false);
  });
}

test('an open for writing is not answered while a lease is held', async () => {
  const gate = new GateFixture('stack', RULE);
  const file = gate.good('file');
  await gate.write(file, 'new content');
  let held = -1;
  const { transport } = gate;
  const noted = transport.setUnsettled.bind(transport);
  transport.setUnsettled = (node, unsettled) => {
    if (unsettled) held = transport.leasesHeld;
    noted(node, unsettled);
  };
  gate.settling.released(file.node);
  assert.equal(transport.leasesHeld, 1);
  assert.equal((await gate.write(file, 'once more')).errno, ALLOWED);
  assert.equal(held, 0);
  assert.equal(file.unsettled, true);
});

test('a file that cannot be labelled is settled, and fails by itself', async () => {
  const gate = new GateFixture('stack', RULE);
  const file = gate.good('file');
  await gate.write(file, 'new content');
  gate.transport.pool.writeXattr = () =>
    Promise.reject(Object.assign(new Error('read-only'), { code: 'EROFS' }));
  await gate.release(file);
  assert.equal(file.unsettled, false);
  assert.equal((await gate.opened(file)).errno, EACCES);
});

test('without leases: labelled at the flush of the only writer, settled at its release', async () => {
  const gate = new GateFixture('stack', RULE);
  const file = gate.good('file', { lease: 'unsupported' });
  await gate.write(file, 'new content');
  await gate.settling.flushed(file.node);
  assert.deepEqual(file.xattr, gate.transport.label(file));
  assert.equal(file.unsettled, true, 'the handle is still open');
  gate.transport.done.length = 0;
  await gate.release(file);
  assert.equal(file.unsettled, false);
  assert.deepEqual(
    gate.transport.done.filter((step) => step.startsWith('hash')),
    [],
  );
});

test('without leases: written to after the flush, it is labelled again', async () => {
  const gate = new GateFixture('stack', RULE);
  const file = gate.good('file', { lease: 'unsupported' });
  await gate.write(file, 'new content');
  await gate.settling.flushed(file.node);
  gate.transport.rewrite(file, 'by a mapping');
  await gate.release(file);
  assert.deepEqual(file.xattr, gate.transport.label(file));
});

test('a writer that one policy merely tolerated does not lead to a label', async () => {
  const gate = new GateFixture('stack');
  const container = await gate.namespaces.activated(CONTAINER, [RULE]);
  changeIma(gate.namespaces.registry.system.ima, { policy: container.ima.policy, mode: 'log' });
  changeIma(container.ima, { mode: 'log' });
  const file = gate.transport.add('bad', 'x');
  assert.equal((await gate.write(file, 'new content', CONTAINER)).errno, ALLOWED);
  await gate.release(file);
  assert.equal(file.xattr, undefined);
});

test('replace: a namespace does not label what another policy appraises', async () => {
  const gate = new GateFixture('replace', RULE);
  await gate.namespaces.activated(CONTAINER, [RULE]);
  const file = gate.good('file');
  const before = file.xattr;
  assert.equal((await gate.write(file, 'new content', CONTAINER)).errno, ALLOWED);
  await gate.release(file);
  assert.deepEqual(file.xattr, before);
});

test('a namespace does not label what the system appraises under another hook', async () => {
  const exec = 'appraise func=BPRM_CHECK';
  for (const own of ['appraise fowner=1000', 'hash fowner=1000']) {
    const gate = new GateFixture('stack', exec);
    await gate.namespaces.activated(CONTAINER, [own]);
    const file = gate.transport.add('evil', '', { isNew: true });
    assert.equal((await gate.write(file, 'evil', CONTAINER)).errno, ALLOWED);
    file.isNew = false;
    await gate.release(file);
    assert.equal(file.xattr, undefined, own);
    assert.equal((await gate.opened(file, { exec: true })).errno, EACCES);
  }
});

test('a namespace labels what nobody else could appraise, or what all others passed', async () => {
  for (const system of ['appraise fowner=5', RULE]) {
    const gate = new GateFixture('stack', system);
    await gate.namespaces.activated(CONTAINER, [RULE]);
    const file = gate.good('file');
    await gate.write(file, 'new content', CONTAINER);
    await gate.release(file);
    assert.deepEqual(file.xattr, gate.transport.label(file));
  }
});

test('a writer whom the system did not judge takes away the label of one whom it did', async () => {
  const gate = new GateFixture('replace', RULE);
  await gate.namespaces.activated(CONTAINER, ['measure']);
  const file = gate.good('file');
  const before = file.xattr;
  await gate.write(file, 'good content', 1n);
  file.lease = 'busy';
  await gate.write(file, 'evil content', CONTAINER);
  gate.settling.released(file.node);
  file.lease = 'granted';
  await gate.release(file);
  assert.equal(file.unsettled, false);
  assert.deepEqual(file.xattr, before);
});

test('what anybody found out while a writer was there ends with the writer', async () => {
  const gate = new GateFixture('stack');
  await gate.namespaces.activated(CONTAINER, [RULE]);
  const file = gate.good('file');
  await gate.write(file, 'content of file', 1n);
  file.xattr = gate.transport.label(file);
  file.lease = 'busy';
  assert.equal((await gate.opened(file, {}, CONTAINER)).errno, ALLOWED);
  // A store through a mapping whose page is dirty already moves no version.
  writeFileSync(file.real, 'other bytes');
  assert.equal((await gate.opened(file, {}, CONTAINER)).errno, EACCES);
  writeFileSync(file.real, 'content of file');
  assert.equal((await gate.opened(file, {}, CONTAINER)).errno, ALLOWED);
  file.lease = 'granted';
  await gate.release(file);
  writeFileSync(file.real, 'other bytes');
  assert.equal((await gate.opened(file, {}, CONTAINER)).errno, EACCES);
});

test('settling forgets the node for all namespaces', async () => {
  const gate = new GateFixture('stack', RULE);
  const file = gate.good('file');
  await gate.opened(file, {}, 5n);
  await gate.write(file, 'content of file', 1n);
  await gate.release(file);
  const { registry } = gate.namespaces;
  const imas = registry.known().map((namespace) => namespace.imaOf(registry.system));
  assert.equal(gate.digests.size, 0);
  // That it was hashed for its label is all that is left.
  const flags = imas.map(({ iints }) => iints.find(file.node)?.flags ?? 0);
  assert.ok(flags.every((it) => (it & ~IMA_COLLECTED) === 0));
});

test('fix mode of a container writes nothing, of the system it labels', async () => {
  const gate = new GateFixture('stack');
  const container = await gate.namespaces.activated(CONTAINER, [RULE]);
  changeIma(container.ima, { mode: 'fix' });
  const file = gate.transport.add('bad', 'x');
  assert.equal((await gate.opened(file, {}, CONTAINER)).errno, ALLOWED);
  assert.equal(file.xattr, undefined);
  const { system } = gate.namespaces.registry;
  changeIma(system.ima, { policy: container.ima.policy, mode: 'fix' });
  assert.equal((await gate.opened(file, {}, 1n)).errno, ALLOWED);
  assert.deepEqual(file.xattr, gate.transport.label(file));
});

test('a writer whose handle is not released is waited for, though a lease was granted', async () => {
  const gate = new GateFixture('stack', RULE);
  const file = gate.good('file');
  await gate.write(file, 'half of it');
  assert.equal((await gate.settling.settle(file.node)).state, 'settled');
  assert.deepEqual(file.xattr, gate.transport.label(file));
  assert.equal(file.unsettled, true);

  gate.transport.rewrite(file, 'all of it');
  await gate.release(file);
  assert.deepEqual(file.xattr, gate.transport.label(file));
  assert.equal(file.unsettled, false);
});

test('a label set between close and release stays', async () => {
  const gate = new GateFixture('stack', RULE);
  const file = gate.good('file');
  await gate.write(file, 'new content');
  await gate.settling.settle(file.node);
  const set = Buffer.from([4, 4, ...Buffer.alloc(32)]);
  file.xattr = set;
  file.version += 1;
  await gate.release(file);
  assert.deepEqual(file.xattr, set);
});

test('setting security.ima waits for the label of the last close', async () => {
  const gate = new GateFixture('stack', RULE);
  const file = gate.good('file');
  await gate.writeAndMap(file, 'new content');
  const open = gate.transport.open(file, gate.namespaces.caller(1n));
  const value = Buffer.from([4, 4, ...Buffer.alloc(32)]);
  const change = { ...open, kind: 'xattr-change', name: 'security.ima', value } as const;
  assert.equal(await gate.xattr.change(change), 0);
  assert.equal(file.unsettled, false);
});

test('an unprivileged or malformed change of security.ima is refused and told', async () => {
  const gate = new GateFixture('stack', RULE);
  const file = gate.good('file');
  const change = (uid: number, value: Buffer | undefined): Promise<number> => {
    const open = gate.transport.open(file, gate.namespaces.caller(1n, { uid }));
    return gate.xattr.change({ ...open, kind: 'xattr-change', name: 'security.ima', value });
  };
  assert.equal(await change(1000, Buffer.from([4, 4])), 1);
  assert.equal(await change(0, Buffer.from([9])), 22);
  assert.equal(gate.namespaces.registry.system.denials.entries().length, 2);
});
