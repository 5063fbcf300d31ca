import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProcessFacts } from '../../../src/binding/addon-types.js';
import { Lineage } from '../../../src/namespaces/lineage.js';
import { processIn } from './fixture.js';

const SYSTEM = 1n;
const CONTAINER = 2n;
const NEW = 3n;

/** pid 1 is the system's, 20 the container's first process; `container` says what it is like. */
const before = (
  container: Partial<ProcessFacts> = {},
  others: ProcessFacts[] = [],
): ProcessFacts[] => [
  processIn(SYSTEM, 1, { parent: 0 }),
  processIn(CONTAINER, 20, container),
  ...others,
];

interface Case {
  readonly name: string;
  readonly container?: Partial<ProcessFacts>;
  /** Other processes at activation. */
  readonly others?: ProcessFacts[];
  /** Processes that came later. */
  readonly later: ProcessFacts[];
  readonly pid: number;
  readonly standing: ReturnType<Lineage['decide']>;
}

const bound = { kind: 'bound', to: [CONTAINER] } as const;
const free = { kind: 'bound', to: [] } as const;
const perCaller = { kind: 'per-caller' } as const;

const cases: Case[] = [
  {
    name: 'unshare -m in the container: its parent is a member',
    later: [processIn(NEW, 30, { parent: 20 })],
    pid: 30,
    standing: bound,
  },
  {
    name: 'a grandchild of a member',
    later: [processIn(CONTAINER, 21, { parent: 20 }), processIn(NEW, 30, { parent: 21 })],
    pid: 30,
    standing: bound,
  },
  {
    name: 'a member that moved by itself, by pid and start time',
    others: [processIn(CONTAINER, 21)],
    later: [processIn(NEW, 21)],
    pid: 21,
    standing: bound,
  },
  {
    name: 'a later process with the pid of a member that is gone',
    others: [processIn(CONTAINER, 21)],
    later: [processIn(NEW, 21, { startTime: 999n })],
    pid: 21,
    standing: free,
  },
  {
    name: 'double fork: the user namespace is evidence',
    container: { userNamespace: 77 },
    later: [processIn(NEW, 30, { userNamespace: 77 })],
    pid: 30,
    standing: bound,
  },
  {
    name: 'double fork: the pid namespace is evidence',
    container: { pidNamespace: 78 },
    later: [processIn(NEW, 30, { pidNamespace: 78 })],
    pid: 30,
    standing: bound,
  },
  {
    name: 'double fork: the cgroup is evidence, and one below it',
    container: { cgroup: '/machine/c1' },
    later: [processIn(NEW, 30, { cgroup: '/machine/c1/init' })],
    pid: 30,
    standing: bound,
  },
  {
    name: 'a cgroup that only begins alike is none',
    container: { cgroup: '/machine/c1' },
    later: [processIn(NEW, 30, { cgroup: '/machine/c11' })],
    pid: 30,
    standing: free,
  },
  {
    name: 'two sibling unshare -m in cgroup / stay apart',
    later: [processIn(NEW, 30)],
    pid: 30,
    standing: free,
  },
  {
    name: 'a service with a private mount namespace and a cgroup of its own',
    container: { cgroup: '/machine/c1' },
    later: [processIn(NEW, 30, { cgroup: '/system/service' })],
    pid: 30,
    standing: free,
  },
  {
    name: 'two containers in one user namespace: shared, so no evidence',
    container: { userNamespace: 77 },
    others: [processIn(9n, 90, { userNamespace: 77 })],
    later: [processIn(NEW, 30, { userNamespace: 77 })],
    pid: 30,
    standing: free,
  },
  {
    name: 'an older namespace that shares a cgroup only later is not bound',
    container: { cgroup: '/machine/c1' },
    others: [processIn(NEW, 30)],
    later: [processIn(NEW, 30, { cgroup: '/machine/c1' })],
    pid: 30,
    standing: free,
  },
  {
    name: 'somebody of the container in a new namespace of others: each for itself',
    later: [processIn(NEW, 30), processIn(NEW, 31, { parent: 20 })],
    pid: 31,
    standing: perCaller,
  },
  {
    name: 'a thread alone in its namespace: its process tells where it comes from',
    later: [processIn(CONTAINER, 21, { parent: 20 })],
    pid: 21,
    standing: bound,
  },
];

for (const { name, container, others, later, pid, standing } of cases) {
  test(name, () => {
    const lineage = new Lineage(SYSTEM);
    const first = before(container, others);
    lineage.activate(CONTAINER, first, []);
    const pids = new Set(later.map((process) => process.pid));
    const now = [...first.filter((process) => !pids.has(process.pid)), ...later];
    assert.deepEqual(lineage.standing(NEW) ?? lineage.decide(NEW, now, pid), standing);
  });
}

test('in a namespace of several, a caller is judged by where it comes from', () => {
  const lineage = new Lineage(SYSTEM);
  lineage.activate(CONTAINER, before(), []);
  const now = before({}, [processIn(NEW, 30), processIn(NEW, 31, { parent: 20 })]);
  lineage.decide(NEW, now, 30);
  assert.deepEqual(lineage.ofProcess(30, now), []);
  assert.deepEqual(lineage.ofProcess(31, now), [CONTAINER]);
});

test('a namespace within a container is bound when the container is activated', () => {
  const lineage = new Lineage(SYSTEM);
  lineage.activate(CONTAINER, before({}, [processIn(NEW, 30, { parent: 20 })]), []);
  assert.deepEqual(lineage.standing(NEW), bound);
});

test('if several apply, all do', () => {
  const lineage = new Lineage(SYSTEM);
  const inner = processIn(4n, 40, { parent: 20 });
  lineage.activate(CONTAINER, before({}, [inner]), []);
  lineage.activate(4n, before({}, [inner]), []);
  const now = before({}, [inner, processIn(NEW, 50, { parent: 40 })]);
  const standing = lineage.decide(NEW, now, 50);
  assert.deepEqual(standing, { kind: 'bound', to: [CONTAINER, 4n] });
});

test('descendants of a bound namespace are bound too', () => {
  const lineage = new Lineage(SYSTEM);
  lineage.activate(CONTAINER, before(), []);
  const one = processIn(NEW, 30, { parent: 20 });
  lineage.decide(NEW, before({}, [one]), 30);
  // The container's own processes are gone; one moved on.
  const now = [
    processIn(SYSTEM, 1, { parent: 0 }),
    processIn(4n, 30),
    processIn(5n, 41, { parent: 30 }),
  ];
  assert.deepEqual(lineage.decide(4n, now, 30), bound);
  assert.deepEqual(lineage.decide(5n, now, 41), bound);
});

test('the system is never bound, whoever enters it', () => {
  const lineage = new Lineage(SYSTEM);
  lineage.activate(CONTAINER, before(), []);
  assert.deepEqual(lineage.standing(SYSTEM), free);
});

test('a namespace of which nothing is to be seen is refused', () => {
  const lineage = new Lineage(SYSTEM);
  lineage.activate(CONTAINER, before(), []);
  assert.throws(() => lineage.decide(NEW, before(), 99), /no process/);
});
