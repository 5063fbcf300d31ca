import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { canHash } from '../../../src/binding/hash-algorithms.js';
import { HashPool } from '../../../src/binding/hash-pool.js';

const directory = mkdtempSync(join(tmpdir(), 'imafs-pool-'));
const pool = new HashPool();
after(async () => {
  await pool.close();
  rmSync(directory, { recursive: true });
});

const content = Buffer.alloc(20 * 1024 * 1024 + 5, 'imafs ');

/** A descriptor of a file, closed after the tests. */
const descriptor = (name: string, bytes: Buffer): number => {
  writeFileSync(join(directory, name), bytes);
  const fd = openSync(join(directory, name), 'r');
  after(() => closeSync(fd));
  return fd;
};

const order = (fd: number, algorithm = 'sha256', given = {}) => ({
  namespace: 1n,
  node: fd,
  version: 1,
  algorithm,
  fd,
  shared: false,
  leased: false,
  ...given,
});

for (const [kernel, openssl] of [
  ['sha256', 'sha256'],
  ['rmd160', 'ripemd160'],
  ['sha3-256', 'sha3-256'],
  ['sm3', 'sm3'],
  ['md5', 'md5'],
] as const) {
  test(`${kernel} of a file of several slices, an empty and a small one`, async () => {
    for (const [name, bytes] of [
      ['long', content],
      ['empty', Buffer.alloc(0)],
      ['small', Buffer.from('x')],
    ] as const) {
      const expected = createHash(openssl).update(bytes).digest();
      const digest = await pool.digest(order(descriptor(`${kernel}-${name}`, bytes), kernel));
      assert.deepEqual(Buffer.from(digest), expected);
    }
  });
}

test('an algorithm that nobody has, and a descriptor that is none, reject', async () => {
  assert.equal(canHash('md4'), false);
  assert.equal(canHash('ripemd160'), false, 'a kernel name is wanted');
  await assert.rejects(pool.digest(order(descriptor('f', content), 'md4')), /no implementation/);
  await assert.rejects(pool.digest(order(9999)), { code: 'EBADF' });
});

test('all who want the same digest of a reliable version share one job', async () => {
  const fd = descriptor('shared', content);
  const jobs = [1, 2, 3].map(() => pool.digest(order(fd, 'sha256', { shared: true })));
  assert.equal(pool.load, 1);
  const digests = await Promise.all(jobs);
  assert.equal(digests[0], digests[2]);
  const fresh = [1, 2].map(() => pool.digest(order(fd)));
  assert.equal(pool.load, 2);
  await Promise.all(fresh);
});

test("a small file does not wait for another namespace's long ones", async () => {
  const long = descriptor('queue', content);
  const small = descriptor('small', Buffer.from('x'));
  const ended: string[] = [];
  const jobs = Array.from({ length: 8 }, async () => {
    await pool.digest(order(long));
    ended.push('long');
  });
  await pool.digest(order(small, 'sha256', { namespace: 2n }));
  assert.ok(ended.length <= 2, `${ended.length} of 8 long files came first`);
  await Promise.all(jobs);
});

test('after it is closed it takes no more', async () => {
  const closed = new HashPool();
  await closed.close();
  await assert.rejects(closed.digest(order(1)), /closed/);
});
