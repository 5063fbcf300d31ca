import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog } from '../../../src/base/log.js';
import type { AppraiseOption, NamespacePolicy } from '../../../src/daemon-options.js';
import { Lifecycle } from '../../../src/namespaces/lifecycle.js';
import { LIMITS } from '../../../src/namespaces/namespace.js';
import { NamespaceFixture, nameOf, processIn } from './fixture.js';

const CONTAINER = 2n;
const CHILD = 3n;

const lifecycleOf = (
  fixture: NamespaceFixture,
  appraise: AppraiseOption = 'enforce_ns',
  nsPolicy: NamespacePolicy = 'stack',
) => {
  const audited: string[] = [];
  const { registry, lineage, walks, addon } = fixture;
  const lifecycle = new Lifecycle({
    registry,
    lineage,
    walks,
    addon,
    appraise,
    nsPolicy,
    canHash: (algorithm) => algorithm === 'sha512',
    auditStatus: ({ op, namespace }) => {
      audited.push(`${op} ${namespace}`);
      return Promise.resolve();
    },
    log: createLog('silent'),
  });
  return { lifecycle, audited };
};

test('activation by number, with the errors of the namespace patches', async () => {
  const fixture = new NamespaceFixture();
  fixture.processes.push(processIn(CONTAINER, 200));
  const { lifecycle, audited } = lifecycleOf(fixture);
  const system = fixture.caller(1n);
  const name = nameOf(CONTAINER);
  assert.equal(await lifecycle.activate(fixture.registry.system.name, system), 'EINVAL');
  assert.equal(await lifecycle.activate(4711, system), 'ENOENT');
  assert.equal(await lifecycle.activate(name, system), undefined);
  assert.equal(await lifecycle.activate(name, system), undefined, 'already registered: success');
  assert.equal(fixture.registry.byName(name)?.isActive, true);
  assert.deepEqual(audited, [`namespace_activate ${name}`]);
});

test('activation is EINVAL unless the mode is enforce_ns', async () => {
  const fixture = new NamespaceFixture();
  fixture.processes.push(processIn(CONTAINER, 200));
  const { lifecycle } = lifecycleOf(fixture, 'enforce');
  assert.equal(await lifecycle.activate(nameOf(CONTAINER), fixture.caller(1n)), 'EINVAL');
  assert.equal(await lifecycle.activateSelf(fixture.caller(CONTAINER)), 'EINVAL');
});

test('a namespace may activate itself, but not under replace, nor more than a uid may have', async () => {
  const fixture = new NamespaceFixture();
  const replaced = lifecycleOf(fixture, 'enforce_ns', 'replace').lifecycle;
  assert.equal(await replaced.activateSelf(fixture.caller(CONTAINER)), 'EPERM');
  const { lifecycle } = lifecycleOf(fixture);
  for (let id = 0n; id < BigInt(LIMITS.selfActivationsPerUid); id += 1n) {
    assert.equal(await lifecycle.activateSelf(fixture.caller(100n + id)), undefined);
  }
  assert.equal(await lifecycle.activateSelf(fixture.caller(999n)), 'EDQUOT');
});

test('settings are checked', async () => {
  const fixture = new NamespaceFixture();
  const container = await fixture.activated(CONTAINER, []);
  const { lifecycle } = lifecycleOf(fixture);
  assert.equal(lifecycle.setMode(container, 'loud'), 'EINVAL');
  assert.equal(lifecycle.setMode(container, 'log'), undefined);
  assert.equal(lifecycle.setHash(container, 'md4'), 'EINVAL');
  assert.equal(lifecycle.setHash(container, 'sha512'), undefined);
  assert.deepEqual([container.ima.mode, container.ima.hashAlgorithm], ['log', 'sha512']);
});

test('a namespace that ended is retired and freed', async () => {
  const fixture = new NamespaceFixture();
  const container = await fixture.activated(CONTAINER, ['audit']);
  const { lifecycle, audited } = lifecycleOf(fixture);
  await fixture.registry.judges(fixture.caller(CONTAINER));
  fixture.dead.add(CONTAINER);
  fixture.processes = fixture.processes.filter(({ scope }) => scope !== CONTAINER);
  await lifecycle.retireDead();
  assert.equal(container.isDead, true);
  assert.equal(fixture.registry.byId(CONTAINER), undefined);
  assert.equal(fixture.scopes.has(CONTAINER), false);
  assert.deepEqual(audited, [`namespace_retire ${container.name}`]);
  assert.equal(lifecycle.setMode(container, 'off'), 'EINVAL');
});

test('its policy goes on judging its descendants, also those that had not opened anything', async () => {
  const fixture = new NamespaceFixture();
  const container = await fixture.activated(CONTAINER, ['audit']);
  const { lifecycle } = lifecycleOf(fixture);
  // The container's only process made a namespace of its own and is in it now.
  fixture.processes = [processIn(1n, 1), processIn(CHILD, 200, { startTime: 2000n })];
  fixture.dead.add(CONTAINER);
  await lifecycle.retireDead();
  assert.equal(container.isDead, true);
  assert.equal(fixture.registry.byName(container.name), undefined);
  const judges = await fixture.registry.judges(fixture.caller(CHILD, { pid: 200 }));
  assert.deepEqual(
    judges.map(({ namespace }) => namespace.id),
    [1n, CONTAINER],
  );
  // The last descendant ends.
  fixture.dead.add(CHILD);
  fixture.processes = [processIn(1n, 1)];
  await lifecycle.retireDead();
  assert.equal(fixture.registry.byId(CONTAINER), undefined);
});
