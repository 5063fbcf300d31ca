import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Caller } from '../../../src/binding/addon-types.js';
import { PolicyReads } from '../../../src/namespaces/policy-reads.js';

const SYSTEM = 1n;
const FILE = {
  file: { ino: 1n, device: '8:1', mode: 0o100644, uid: 0, gid: 0, size: 1 },
  xattrs: [],
  fsMagic: 0xef53,
};

/** Reads that go on until the test ends them, by path. */
const readsFixture = (patienceMs = 1000) => {
  const underWay = new Map<string, () => void>();
  const reads = new PolicyReads(
    SYSTEM,
    patienceMs,
    (_caller, path) =>
      new Promise((resolve) => {
        underWay.set(path, () => {
          underWay.delete(path);
          resolve({ ...FILE, content: Buffer.from(path) });
        });
      }),
  );
  const read = (scope: bigint, path: string) => reads.read({ scope } as Caller, path, 10);
  const step = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return { underWay, read, step };
};

test('one at a time of a namespace, two in all, the others in turn; the system at once', async () => {
  const { underWay, read, step } = readsFixture();
  const all = [read(2n, '/a'), read(2n, '/b'), read(3n, '/c'), read(4n, '/d')];
  await step();
  assert.deepEqual([...underWay.keys()], ['/a', '/c']);
  all.push(read(SYSTEM, '/system'));
  assert.ok(underWay.has('/system'));
  underWay.get('/c')?.();
  await step();
  assert.deepEqual([...underWay.keys()], ['/a', '/system', '/d']);
  underWay.get('/a')?.();
  await step();
  assert.deepEqual([...underWay.keys()], ['/system', '/d', '/b']);
  for (const finish of [...underWay.values()]) finish();
  assert.deepEqual(
    (await Promise.all(all)).map(({ content }) => String(content)),
    ['/a', '/b', '/c', '/d', '/system'],
  );
});

test('whose turn does not come is ETIMEDOUT, and is not read later', async () => {
  const { underWay, read, step } = readsFixture(20);
  void read(2n, '/a');
  await assert.rejects(read(2n, '/b'), { code: 'ETIMEDOUT' });
  underWay.get('/a')?.();
  await step();
  assert.equal(underWay.size, 0);
});
