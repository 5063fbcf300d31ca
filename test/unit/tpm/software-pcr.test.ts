import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { SoftwarePcrs } from '../../../src/tpm/software-pcr.js';
import { JournalFailed, TpmFailed } from '../../../src/tpm/tpm.js';

const directory = mkdtempSync(join(tmpdir(), 'imafs-pcr-'));
const path = join(directory, 'journal');
const fd = openSync(path, 'a');
after(() => {
  closeSync(fd);
  rmSync(directory, { recursive: true });
});

const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('hex');
const order = (pcr: number, fill: number, text = '', at = fd) => ({
  pcr,
  digests: [new Uint8Array(20).fill(fill), new Uint8Array(32).fill(fill)],
  journal: { fd: at, bytes: Buffer.from(text) },
});

test('PCRs begin with zeros', async () => {
  const values = await new SoftwarePcrs().read(10);
  assert.deepEqual([...values.keys()], ['sha1', 'sha256']);
  assert.equal(hex(values.get('sha1')), '00'.repeat(20));
  assert.equal(hex(values.get('sha256')), '00'.repeat(32));
});

test('an extend is the hash of the old value and the digest, in each bank', async () => {
  const tpm = new SoftwarePcrs();
  await tpm.extend(order(10, 1));
  await tpm.extend(order(10, 2));
  const values = await tpm.read(10);
  // sha1 of 20 bytes 0 and 20 bytes 1: what swtpm shows after the same extend.
  const first = 'c3ad7f64b8d976aaf2b3a9c98f7ee5631cde7125';
  const second = createHash('sha1').update(first, 'hex').update(Buffer.alloc(20, 2)).digest('hex');
  assert.equal(hex(values.get('sha1')), second);
  assert.notEqual(hex(values.get('sha256')), '00'.repeat(32));
  assert.equal(hex((await tpm.read(11)).get('sha1')), '00'.repeat(20), 'others stay as they are');
});

test('the journal is written before a PCR is extended', async () => {
  await new SoftwarePcrs().extend(order(10, 1, 'entry one\n'));
  assert.match(readFileSync(path, 'utf8'), /entry one\n$/);
});

test('nothing is extended when the journal takes nothing', async () => {
  const tpm = new SoftwarePcrs();
  const full = openSync('/dev/full', 'w');
  after(() => closeSync(full));
  await assert.rejects(
    tpm.extend(order(10, 1, 'entry', full)),
    (error) => error instanceof JournalFailed && error.code === 'ENOSPC',
  );
  assert.equal(hex((await tpm.read(10)).get('sha1')), '00'.repeat(20));
});

test('there are PCRs 0 to 63', async () => {
  const tpm = new SoftwarePcrs();
  await tpm.extend(order(63, 1));
  await assert.rejects(tpm.read(64), TpmFailed);
  await assert.rejects(tpm.extend(order(-1, 1)), TpmFailed);
});
