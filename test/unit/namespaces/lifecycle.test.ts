import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog } from '../../../src/base/log.js';
import type { AppraiseOption, NamespacePolicy } from '../../../src/daemon-options.js';
import { Lifecycle } from '../../../src/namespaces/lifecycle.js';
import { LIMITS } from '../../../src/namespaces/namespace.js';
import { NamespaceFixture, nameOf, processIn } from './fixture.js';
import { settingsOf } from './settings-fixture.js';

const CONTAINER = 2n;
const CHILD = 3n;

const lifecycleOf = (
  fixture: NamespaceFixture,
  appraise: AppraiseOption = 'enforce_ns',
  nsPolicy: NamespacePolicy = 'stack',
) => {
  const audited: string[] = [];
  const { registry, lineage, walks, ids } = fixture;
  const lifecycle = new Lifecycle({
    registry,
    lineage,
    walks,
    ids,
    appraise,
    nsPolicy,
    openList: () => Promise.resolve(),
    auditStatus: ({ op, namespace }) => {
      audited.push(`${op} ${namespace}`);
      return Promise.resolve();
    },
    log: createLog('silent'),
  });
  return { lifecycle, audited };
};

const checks = async (lifecycle: Lifecycle, count: number): Promise<void> => {
  for (let done = 0; done < count; done += 1) await lifecycle.retireDead();
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

test('activations of one uid that run at once do not exceed its limit either', async () => {
  const fixture = new NamespaceFixture();
  const { lifecycle } = lifecycleOf(fixture);
  const results = await Promise.all(
    Array.from({ length: LIMITS.selfActivationsPerUid + 6 }, (_, index) =>
      lifecycle.activateSelf(fixture.caller(100n + BigInt(index))),
    ),
  );
  assert.equal(results.filter((result) => result === 'EDQUOT').length, 6);
  assert.equal(fixture.registry.activated().length, 1 + LIMITS.selfActivationsPerUid);
  // One that is active already.
  assert.equal(await lifecycle.activateSelf(fixture.caller(100n)), undefined);
});

test('one namespace that asks twice at once counts once', async () => {
  const fixture = new NamespaceFixture();
  const { lifecycle, audited } = lifecycleOf(fixture);
  const caller = fixture.caller(CONTAINER);
  const results = await Promise.all([1, 2].map(() => lifecycle.activateSelf(caller)));
  assert.deepEqual(results, [undefined, undefined]);
  assert.equal(audited.length, 1);
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
  assert.notEqual(fixture.registry.byId(CONTAINER), undefined, 'one look at /proc is not enough');
  await checks(lifecycle, 2);
  assert.equal(fixture.registry.byId(CONTAINER), undefined);
  assert.equal(fixture.scopes.has(CONTAINER), false);
  assert.deepEqual(audited, [`namespace_retire ${container.name}`]);
  assert.equal(settingsOf(fixture).setMode(container, 'off'), 'EINVAL');
  assert.deepEqual(fixture.removed, [CONTAINER]);
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
  await checks(lifecycle, 3);
  assert.equal(fixture.registry.byId(CONTAINER), undefined);
});

for (const [what, given] of [
  ['a user namespace', { userNamespace: 77 }],
  ['its pid and start time only', {}],
] as const) {
  test(`hopping from namespace to namespace does not shed a policy: ${what}`, async () => {
    const fixture = new NamespaceFixture();
    await fixture.activated(CONTAINER, ['audit'], given);
    const { lifecycle, audited } = lifecycleOf(fixture);
    // Wherever a check or a walk finds the process, it has left that namespace a moment later.
    let last = CONTAINER;
    fixture.addon.walkProcesses = () => {
      fixture.dead.add(last);
      last += 1n;
      const seen = [processIn(1n, 1), processIn(last, 200, given)];
      fixture.dead.add(last);
      return Promise.resolve(seen);
    };
    fixture.dead.add(CONTAINER);
    await checks(lifecycle, 10);
    assert.deepEqual(audited, [`namespace_retire ${nameOf(CONTAINER)}`]);
    last += 1n;
    const rest = last;
    fixture.addon.walkProcesses = () =>
      Promise.resolve([processIn(1n, 1), processIn(rest, 200, given)]);
    const judges = await fixture.registry.judges(fixture.caller(rest, { pid: 200 }));
    assert.deepEqual(
      judges.map(({ namespace }) => namespace.id),
      [1n, CONTAINER],
    );
  });
}

test('a process that some walks miss keeps its policy', async () => {
  const fixture = new NamespaceFixture();
  await fixture.activated(CONTAINER, ['audit'], { userNamespace: 77 });
  const { lifecycle } = lifecycleOf(fixture);
  fixture.dead.add(CONTAINER);
  for (let round = 0n; round < 4n; round += 1n) {
    fixture.processes = [processIn(1n, 1)];
    await checks(lifecycle, 2);
    fixture.dead.add(50n + round);
    fixture.processes.push(processIn(50n + round, 300, { userNamespace: 77 }));
    await checks(lifecycle, 1);
  }
  assert.notEqual(fixture.registry.byId(CONTAINER), undefined);
});

test('an ended namespace with descendants voids no verdicts while nothing changes', async () => {
  const fixture = new NamespaceFixture();
  await fixture.activated(CONTAINER, ['audit']);
  const { lifecycle, audited } = lifecycleOf(fixture);
  fixture.processes = [processIn(1n, 1), processIn(CHILD, 200, { startTime: 2000n })];
  await fixture.registry.judges(fixture.caller(1n));
  await fixture.registry.judges(fixture.caller(CHILD, { pid: 200 }));
  fixture.scopes.clear();
  fixture.dead.add(CONTAINER);
  await checks(lifecycle, 5);
  assert.deepEqual([...fixture.scopes.keys()], []);
  assert.equal(audited.length, 1);
});
