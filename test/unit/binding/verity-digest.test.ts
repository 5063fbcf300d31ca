/** fs-verity of a real ext4, against what the fsverity tool computes by itself. */
import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { loadAddon } from '../../../src/binding/addon.js';
import { Namespace } from '../../helpers/namespace.js';
import { skipUnless } from '../../helpers/skip.js';

const addon = loadAddon();
const root = mkdtempSync(join(tmpdir(), 'imafs-verity-'));
after(() => rmSync(root, { recursive: true }));

/** What the addon says of a file. */
const verityDigestOf = (path: string) => {
  const fd = openSync(path, 'r');
  try {
    return addon.verityDigest(fd);
  } finally {
    closeSync(fd);
  }
};

test('a file system that has no fs-verity, or has it not switched on: undefined', () => {
  const file = join(root, 'file');
  writeFileSync(file, 'content');
  assert.equal(verityDigestOf(file), undefined);
  assert.equal(verityDigestOf(root), undefined);
  assert.equal(verityDigestOf('/dev/shm'), undefined);
  assert.equal(verityDigestOf('/proc/version'), undefined);
});

test('what is no open file throws', () => {
  assert.throws(() => addon.verityDigest(-1), { code: 'EBADF' });
  assert.throws(() => addon.verityDigest(9999), { code: 'EBADF' });
});

describe('a file of an ext4 that has fs-verity', {
  skip: skipUnless('fs-verity of ext4', 'the kernel was built without it'),
}, () => {
  let namespace: Namespace;
  before(async () => {
    // With it goes the mount.
    namespace = await Namespace.start();
    const commands = `cd ${root}; truncate -s 32M image; mkdir mounted;
      mkfs.ext4 -q -b 4096 -O verity image; mount -o loop image mounted`;
    await namespace.ok(['sh', '-ec', commands]);
  });
  after(() => namespace.stop());

  for (const algorithm of ['sha256', 'sha512'] as const) {
    for (const size of [0, 1, 4096, 600_001]) {
      test(`${algorithm} of ${size} bytes, once it is switched on`, async () => {
        const file = join(root, 'mounted', `${algorithm}-${size}`);
        const seen = `/proc/${namespace.agentPid}/root${file}`;
        writeFileSync(seen, Buffer.alloc(size, 'imafs '));
        assert.equal(verityDigestOf(seen), undefined);
        await namespace.ok(['fsverity', 'enable', `--hash-alg=${algorithm}`, file]);
        const words = ['fsverity', 'digest', '--compact', `--hash-alg=${algorithm}`, file];
        const digest = Buffer.from((await namespace.ok(words)).trim(), 'hex');
        assert.deepEqual(verityDigestOf(seen), { algorithm, digest });
      });
    }
  }
});
