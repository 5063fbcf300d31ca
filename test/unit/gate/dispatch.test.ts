import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog } from '../../../src/base/log.js';
import type { OpenAnswer, Upcall } from '../../../src/binding/addon-types.js';
import { Dispatch, type DispatchParts } from '../../../src/gate/dispatch.js';
import { GateFixture } from './fixture.js';

const EIO = 5;
const EACCES = 13;

/** A dispatch over a gate whose handlers the test replaces. */
const dispatchOf = (gate: GateFixture, parts: Partial<DispatchParts> = {}, logged: string[] = []) =>
  new Dispatch({
    transport: gate.transport,
    open: gate.open,
    xattr: gate.xattr,
    attributes: gate.attributes,
    settling: gate.settling,
    digests: gate.digests,
    controlTree: { serve: () => Promise.resolve({ errno: 0 }) },
    namespaces: () => gate.namespaces.registry.known(),
    ended: () => undefined,
    log: createLog('debug', { write: (line: string) => void logged.push(line) }),
    ...parts,
  });

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

test('every upcall that waits is answered once, by its id', async () => {
  const gate = new GateFixture();
  const file = gate.good('file');
  const open = gate.transport.open(file, gate.namespaces.caller(1n));
  const upcalls: Upcall[] = [
    open,
    { ...open, kind: 'flush', id: 101 },
    { ...open, kind: 'xattr-read', name: 'security.ima', id: 102 },
    { ...open, kind: 'xattr-change', id: 103, name: 'security.ima', value: undefined },
    { ...open, kind: 'attributes', id: 104, truncated: false },
  ];
  gate.transport.upcalls = upcalls;
  dispatchOf(gate).wake();
  await settle();
  assert.equal((gate.transport.answers.get(open.id) as OpenAnswer).errno, 0);
  assert.deepEqual(
    [101, 102, 103, 104].map((id) => gate.transport.answers.get(id)),
    [0, 0, 0, 0],
  );
});

test('more upcalls than one batch are all taken', async () => {
  const gate = new GateFixture();
  const file = gate.good('file');
  const caller = gate.namespaces.caller(1n);
  gate.transport.upcalls = Array.from({ length: 200 }, () => gate.transport.open(file, caller));
  dispatchOf(gate).wake();
  await settle();
  assert.equal(gate.transport.answers.size, 200);
});

test('a batch that is longer than asked for, or shorter, is not taken for the last one', async () => {
  const gate = new GateFixture();
  const file = gate.good('file');
  const caller = gate.namespaces.caller(1n);
  const open = () => gate.transport.open(file, caller);
  const batches: Upcall[][] = [
    [{ kind: 'forgotten', nodes: [] }, ...Array.from({ length: 64 }, open)],
    [open()],
    [open()],
  ];
  const { transport } = gate;
  dispatchOf(gate, {
    transport: {
      takeUpcalls: () => batches.shift() ?? [],
      finishOpen: (id, answer) => transport.finishOpen(id, answer),
      finish: () => undefined,
      finishVirtual: () => undefined,
    },
  }).wake();
  await settle();
  assert.equal(transport.answers.size, 66);
});

test('whatever a handler throws, its request is refused, logged once and counted', async () => {
  const gate = new GateFixture();
  const file = gate.good('file');
  const open = gate.transport.open(file, gate.namespaces.caller(1n));
  const logged: string[] = [];
  const fail = () => Promise.reject(new Error('a bug'));
  const parts = { open: { handle: fail }, xattr: { read: fail, change: fail } };
  const dispatch = dispatchOf(gate, parts, logged);
  gate.transport.upcalls = [open, { ...open, kind: 'xattr-read', name: 'security.ima', id: 102 }];
  dispatch.wake();
  await settle();
  assert.equal((gate.transport.answers.get(open.id) as OpenAnswer).errno, EACCES);
  assert.equal(gate.transport.answers.get(102), EIO);
  assert.equal(dispatch.faults, 2);
  assert.equal(logged.filter((line) => line.includes('a bug')).length, 2);
});

test('forgotten nodes are forgotten everywhere', async () => {
  const gate = new GateFixture('stack', 'appraise fowner=1000');
  const file = gate.good('file');
  await gate.opened(file, {}, 5n);
  const scope = gate.namespaces.registry.byId(5n);
  const ima = scope?.imaOf(gate.namespaces.registry.system);
  assert.equal(ima?.iints.size, 1);
  gate.transport.upcalls = [{ kind: 'forgotten', nodes: [file.node] }];
  dispatchOf(gate).wake();
  assert.equal(ima.iints.size, 0);
  assert.equal(gate.digests.size, 0);
});

test('the end of the transport is passed on', () => {
  const gate = new GateFixture();
  const ends: (string | undefined)[] = [];
  gate.transport.upcalls = [{ kind: 'ended', error: 'aborted' }];
  dispatchOf(gate, { ended: (error) => void ends.push(error) }).wake();
  assert.deepEqual(ends, ['aborted']);
});
