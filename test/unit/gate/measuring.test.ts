import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Namespace } from '../../../src/namespaces/namespace.js';
import type { FakeIma } from '../../helpers/fake-list.js';
import { GateFixture, O_WRONLY } from './fixture.js';

const CONTAINER = 2n;

const listOf = (namespace: Namespace) => (namespace.ima as FakeIma).list;

/** Names in a list, violations marked. */
const names = (namespace: Namespace): string[] =>
  listOf(namespace).entries.map(({ isViolation, fields }) => {
    const name = Buffer.from(fields[1] ?? [])
      .toString()
      .slice(0, -1);
    return isViolation ? `!${name}` : name;
  });

test('a program that was changed is measured, though the handle it was changed by is not released', async () => {
  const gate = new GateFixture('stack', 'measure func=BPRM_CHECK mask=MAY_EXEC');
  const { system } = gate.namespaces.registry;
  const file = gate.transport.add('program', '#!/bin/one');
  await gate.opened(file, { exec: true });
  await gate.write(file, '#!/bin/two');
  // close(2) came back, RELEASE did not come yet; a lease says that nobody can write.
  await gate.opened(file, { exec: true, writers: 1 });
  assert.deepEqual(names(system), ['/mnt/program', '/mnt/program']);
});

test('a writer is in the list of whose reader measured, whose policy does not judge him', async () => {
  const gate = new GateFixture();
  const container = await gate.namespaces.activated(CONTAINER, ['measure mask=MAY_READ']);
  const file = gate.transport.add('shared', 'x');
  await gate.opened(file, {}, CONTAINER);
  file.readers = 1;
  assert.equal((await gate.opened(file, { flags: O_WRONLY })).errno, 0);
  assert.deepEqual(names(container), ['/mnt/shared', '!/shared']);
});

test('a list of others that takes nothing refuses no writer, and it is said there', async () => {
  const gate = new GateFixture();
  const container = await gate.namespaces.activated(CONTAINER, ['measure mask=MAY_READ']);
  const file = gate.transport.add('shared', 'x');
  await gate.opened(file, {}, CONTAINER);
  file.readers = 1;
  listOf(container).failing = 'EDQUOT';
  assert.equal((await gate.opened(file, { flags: O_WRONLY })).errno, 0);
  const { event, detail } = container.events.entries().at(-1) ?? {};
  assert.deepEqual([event, detail], ['list', { violation: '/shared', cause: 'EDQUOT' }]);
});

test('its own list that takes nothing refuses, and the denial says why', async () => {
  const gate = new GateFixture('stack', 'measure');
  const { system } = gate.namespaces.registry;
  listOf(system).failing = 'ENOSPC';
  assert.equal((await gate.opened(gate.transport.add('new', 'x'))).errno, 5);
  const denial = system.denials.entries().at(-1);
  assert.deepEqual([denial?.cause, denial?.errno, denial?.hook], ['ENOSPC', 'EIO', 'FILE_CHECK']);
  assert.match(denial?.hint ?? '', /disk/);
});

test('a refused writer has readers to come asked about', async () => {
  const gate = new GateFixture('stack', 'measure mask=MAY_READ', 'appraise mask=MAY_WRITE');
  const file = gate.transport.add('kept', 'x');
  await gate.opened(file);
  gate.transport.done.length = 0;
  assert.notEqual((await gate.opened(file, { flags: O_WRONLY })).errno, 0);
  assert.ok(gate.transport.done.includes(`void ${file.node}`));
});

test('a file that changes while it is hashed is listed once, as it then is', async () => {
  const gate = new GateFixture('stack', 'measure');
  const file = gate.transport.add('moving', 'one');
  let changes = 0;
  gate.transport.meanwhile = (what) => {
    if (what === 'hash' && changes++ === 0) gate.transport.rewrite(file, 'two');
  };
  await gate.opened(file);
  assert.deepEqual(names(gate.namespaces.registry.system), ['/mnt/moving']);
});
