import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { createVerityHasher } from '../../../../src/ima/digest/verity-digest.js';
import { skipUnless } from '../../../helpers/skip.js';

const work = mkdtempSync(join(tmpdir(), 'imafs-verity-'));
after(() => {
  rmSync(work, { recursive: true, force: true });
});

const BLOCK = 4096;
/** As many hashes fill a block of the tree with sha256; half of them with sha512. */
const FAN_OUT = 128;

const SIZES = [
  0,
  1,
  BLOCK - 1,
  BLOCK,
  BLOCK + 1,
  2 * BLOCK,
  (FAN_OUT / 2) * BLOCK - 1,
  (FAN_OUT / 2) * BLOCK,
  (FAN_OUT / 2) * BLOCK + 1,
  FAN_OUT * BLOCK - 1,
  FAN_OUT * BLOCK,
  FAN_OUT * BLOCK + 1,
  3_333_333,
  // The first tree of three levels, with sha512.
  (FAN_OUT / 2) ** 2 * BLOCK + 1,
];

function content(sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  for (let at = 0; at < sizeBytes; at += BLOCK) bytes.writeUInt8((at / BLOCK) % 251, at);
  return bytes;
}

function verityDigest(algorithm: string, data: Buffer, chunkBytes: number): string {
  const hasher = createVerityHasher(algorithm, (bytes) =>
    createHash(algorithm).update(bytes).digest(),
  );
  assert.ok(hasher);
  for (let at = 0; at < data.length; at += chunkBytes) {
    hasher.update(data.subarray(at, at + chunkBytes));
  }
  return Buffer.from(hasher.digest()).toString('hex');
}

test('digests are those of fsverity(1), however the file comes in pieces', {
  skip: skipUnless('fsverity', 'nothing to compare with'),
}, () => {
  const path = join(work, 'file');
  for (const sizeBytes of SIZES) {
    const data = content(sizeBytes);
    writeFileSync(path, data);
    for (const algorithm of ['sha256', 'sha512']) {
      const words = ['digest', '--compact', `--hash-alg=${algorithm}`, path];
      const wanted = execFileSync('fsverity', words, { encoding: 'utf8' }).trim();
      for (const chunkBytes of [BLOCK, 65536, 999_983]) {
        const what = `${algorithm} of ${sizeBytes} bytes by ${chunkBytes}`;
        assert.equal(verityDigest(algorithm, data, chunkBytes), wanted, what);
      }
    }
  }
});

test('an empty file has a digest too', () => {
  // As `fsverity digest` prints it.
  const known = '3d248ca542a24fc62d1c43b916eae5016878e2533c88238480b26128a1f1af95';
  assert.equal(verityDigest('sha256', Buffer.alloc(0), BLOCK), known);
});

test('fs-verity has no other algorithms', () => {
  assert.equal(
    createVerityHasher('sha384', () => new Uint8Array()),
    undefined,
  );
});
