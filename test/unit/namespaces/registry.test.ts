import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Caller } from '../../../src/binding/addon-types.js';
import type { Namespace } from '../../../src/namespaces/namespace.js';
import { NamespaceFixture, nameOf, processIn } from './fixture.js';

const CONTAINER = 2n;
const OTHER = 3n;
const RULE = 'appraise fowner=1000';

/** Ids of those whose policies judge, with the caller's namespace. */
const judgesOf = async (fixture: NamespaceFixture, caller: Caller): Promise<string[]> =>
  (await fixture.registry.judges(caller)).map(
    ({ namespace, scope }) => `${namespace.id} for ${scope.id}`,
  );

test('the system judges whoever has no policy of its own', async () => {
  const fixture = new NamespaceFixture();
  assert.deepEqual(await judgesOf(fixture, fixture.caller(OTHER)), ['1 for 3']);
  assert.equal(fixture.walksDone, 0, 'nobody is activated, so nobody looks at /proc');
});

test('stack: the system and the own policy judge', async () => {
  const fixture = new NamespaceFixture('stack');
  await fixture.activated(CONTAINER, [RULE]);
  assert.deepEqual(await judgesOf(fixture, fixture.caller(CONTAINER)), ['1 for 2', '2 for 2']);
});

test('replace: the own policy alone judges, once there is one', async () => {
  const fixture = new NamespaceFixture('replace');
  await fixture.activated(CONTAINER, []);
  assert.deepEqual(await judgesOf(fixture, fixture.caller(CONTAINER)), ['1 for 2']);
  await fixture.activated(OTHER, [RULE]);
  assert.deepEqual(await judgesOf(fixture, fixture.caller(OTHER)), ['3 for 3']);
});

test('a namespace that comes from a container is judged by its policy too', async () => {
  const fixture = new NamespaceFixture('stack');
  await fixture.activated(CONTAINER, [RULE]);
  fixture.processes.push(processIn(OTHER, 300, { parent: 200 }));
  const judges = await judgesOf(fixture, fixture.caller(OTHER, { pid: 300 }));
  assert.deepEqual(judges, ['1 for 3', '2 for 3']);
  assert.deepEqual(fixture.registry.byId(OTHER)?.events.entries()[0]?.detail, {
    to: nameOf(CONTAINER),
  });
});

test('each namespace is looked at once only', async () => {
  const fixture = new NamespaceFixture();
  await fixture.activated(CONTAINER, [RULE]);
  fixture.processes.push(processIn(OTHER, 300));
  await judgesOf(fixture, fixture.caller(OTHER, { pid: 300 }));
  const { walksDone } = fixture;
  await judgesOf(fixture, fixture.caller(OTHER, { pid: 300 }));
  assert.equal(fixture.walksDone, walksDone);
});

test('a mixed namespace is not cacheable and decided for each caller', async () => {
  const fixture = new NamespaceFixture();
  await fixture.activated(CONTAINER, [RULE]);
  fixture.processes.push(processIn(OTHER, 300), processIn(OTHER, 301, { parent: 200 }));
  const own = await judgesOf(fixture, fixture.caller(OTHER, { pid: 300 }));
  const entered = await judgesOf(fixture, fixture.caller(OTHER, { pid: 301 }));
  assert.deepEqual([own, entered], [['1 for 3'], ['1 for 3', '2 for 3']]);
  assert.equal(fixture.scopes.get(OTHER)?.cacheable, false);
});

test("an io worker's process counts as well as the worker", async () => {
  const fixture = new NamespaceFixture();
  await fixture.activated(CONTAINER, [RULE]);
  const leaderScope = { scope: CONTAINER, scopeName: nameOf(CONTAINER) };
  const judges = await judgesOf(fixture, fixture.caller(1n, { leaderScope, borrowed: true }));
  assert.deepEqual(judges, ['1 for 1', '1 for 2', '2 for 2']);
});

test('borrowed credentials: both sets are asked with', async () => {
  const fixture = new NamespaceFixture();
  const caller = fixture.caller(1n, { uid: 5, borrowed: true, requestUid: 7, requestGid: 8 });
  const [judge] = await fixture.registry.judges(caller);
  assert.deepEqual(
    judge?.subjects.map(({ uid, euid, gid }) => [uid, euid, gid]),
    [
      [5, 5, 0],
      [7, 7, 8],
    ],
  );
});

test('native is told what verdicts depend on, anew with every change', async () => {
  const fixture = new NamespaceFixture('stack');
  const container = await fixture.activated(CONTAINER, [RULE]);
  await judgesOf(fixture, fixture.caller(CONTAINER));
  assert.deepEqual(fixture.scopes.get(CONTAINER), { readCredentials: false, cacheable: true });
  const second = await fixture.activated(CONTAINER, [RULE, 'appraise euid=5']);
  assert.equal(second, container);
  assert.deepEqual(fixture.scopes.get(CONTAINER), { readCredentials: true, cacheable: true });
});

test('what one changes voids the verdicts it has a say in, and no others', async () => {
  const fixture = new NamespaceFixture('stack');
  const CHILD = 4n;
  const container = await fixture.activated(CONTAINER, [RULE]);
  await fixture.activated(OTHER, [RULE]);
  fixture.processes.push(processIn(CHILD, 400, { parent: 200 }));
  for (const scope of [1n, CONTAINER, OTHER]) await judgesOf(fixture, fixture.caller(scope));
  await judgesOf(fixture, fixture.caller(CHILD, { pid: 400 }));
  const voidedBy = (judge: Namespace): bigint[] => {
    fixture.scopes.clear();
    fixture.registry.changedBy(judge);
    return [...fixture.scopes.keys()].sort();
  };
  assert.deepEqual(voidedBy(container), [CONTAINER, CHILD]);
  assert.deepEqual(voidedBy(fixture.registry.system), [1n, CONTAINER, OTHER, CHILD]);
});

test('status is kept apart for each pair of policy and namespace', () => {
  const fixture = new NamespaceFixture();
  const { registry } = fixture;
  const one = registry.obtain(CONTAINER, 1, 1);
  const other = registry.obtain(OTHER, 2, 1);
  const ofOne = one.imaOf(registry.system);
  assert.equal(ofOne, one.imaOf(registry.system));
  assert.notEqual(ofOne.iints, other.imaOf(registry.system).iints);
  assert.notEqual(ofOne.iints, registry.system.ima.iints);
  assert.equal(ofOne.policy, registry.system.ima.policy);
});

test('a number shows its live namespace only', async () => {
  const fixture = new NamespaceFixture();
  const dead = await fixture.activated(CONTAINER, []);
  assert.equal(fixture.registry.byName(dead.name), dead);
  fixture.dead.add(CONTAINER);
  assert.equal(fixture.registry.byName(dead.name), undefined);
});
