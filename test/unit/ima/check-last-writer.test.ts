import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkLastWriter, lastWriterSettled } from '../../../src/ima/check-last-writer.js';
import { changeIma } from '../../../src/ima/ima.js';
import { MAY_READ, MAY_WRITE } from '../../../src/ima/ports.js';
import { type Access, processMeasurement } from '../../../src/ima/process-measurement.js';
import { accessTo, FakeAudit, FakeFile, imaOf } from './fakes.js';

const APPRAISE = 'appraise fowner=1000';

function scene(lines: string[], xattr: string | undefined, mode: 'enforce' | 'log' = 'enforce') {
  const ima = imaOf(mode, ...lines);
  const file = new FakeFile('content', xattr);
  const open = async (facts: Partial<Access>): Promise<boolean> =>
    (await processMeasurement(ima, new FakeAudit(), accessTo(file, facts))).allowed;
  return {
    ima,
    file,
    openForWriting: (facts: Partial<Access> = {}) =>
      open({ mask: MAY_WRITE, writable: true, ...facts }),
    read: (facts: Partial<Access> = {}) => open({ mask: MAY_READ, ...facts }),
    settle: () => {
      const algorithm = checkLastWriter(ima, file);
      lastWriterSettled(ima, file.node, {
        version: file.version,
        now: file.version,
        isLabelled: false,
      });
      return algorithm;
    },
  };
}

test('a written file gets a hash of ima_hash=, whatever it had', async () => {
  for (const xattr of ['0404{sha256}', '01{sha1}', '0406{sha512}']) {
    const { file, openForWriting, settle } = scene([APPRAISE], xattr);
    assert.equal(await openForWriting(), true);
    file.write('new content');
    assert.equal(settle(), 'sha256');
    assert.equal(settle(), undefined, 'once');
  }
});

test('nothing written, nothing changed', async () => {
  const { openForWriting, settle } = scene([APPRAISE], '0404{sha256}');
  await openForWriting();
  assert.equal(settle(), undefined);
});

test('asking changes nothing', async () => {
  const { ima, file, openForWriting, settle } = scene([APPRAISE], '0404{sha256}');
  await openForWriting();
  file.write('new content');
  assert.equal(checkLastWriter(ima, file), 'sha256');
  assert.equal(checkLastWriter(ima, file), 'sha256');
  assert.equal(settle(), 'sha256');
});

test('a new file gets its hash even if it stays empty', async () => {
  const { file, openForWriting, settle } = scene([APPRAISE], undefined);
  file.isNew = true;
  file.isCreated = true;
  assert.equal(await openForWriting(), true);
  assert.equal(settle(), 'sha256');
});

test('a signature is never written over', async () => {
  const { file, openForWriting, settle } = scene([APPRAISE], '0404{sha256}');
  await openForWriting();
  file.write('new content');
  file.setXattr('0302040000000000ff00deadbeef');
  assert.equal(settle(), undefined);
});

test('log mode allows the writer of a bad file and leaves its xattr alone', async () => {
  const { file, openForWriting, settle } = scene([APPRAISE], undefined, 'log');
  assert.equal(await openForWriting(), true);
  file.write('new content');
  assert.equal(settle(), undefined);
});

test('a refused writer leaves nothing behind', async () => {
  const { file, openForWriting, settle } = scene([APPRAISE], undefined);
  assert.equal(await openForWriting(), false);
  file.write('behind the mount');
  assert.equal(settle(), undefined);
});

test('a rule that does not match writing lets the hash go stale', async () => {
  const { file, openForWriting, read, settle } = scene(
    ['appraise func=FILE_CHECK mask=MAY_READ'],
    '0404{sha256}',
  );
  assert.equal(await read(), true);
  assert.equal(await openForWriting(), true);
  file.write('new content');
  assert.equal(await read({ writersOwn: true }), false, 'the writer was not judged');
  assert.equal(settle(), undefined);
  assert.equal(await read(), false);
});

test('a hash rule writes the hash at the next close of a writer', async () => {
  const { openForWriting, read, settle } = scene(['hash'], undefined);
  assert.equal(await read(), true);
  assert.equal(settle(), 'sha256');
  await openForWriting();
  assert.equal(settle(), 'sha256', 'the kernel has no version to compare with');
});

test('while only own writers are about, what was decided at their open stands', async () => {
  const { file, openForWriting, read, settle } = scene([APPRAISE], '0404{sha256}');
  await openForWriting();
  file.write('half');
  assert.equal(await read({ writersOwn: true }), true);
  assert.equal(await openForWriting({ writersOwn: true }), true);
  assert.equal(await read(), false, 'another namespace writes too');
  assert.equal(await read({ writersOwn: true }), false, 'and what was void stays void');
  assert.equal(settle(), 'sha256', 'no reader takes the hash away');
  assert.equal(await read(), false, 'until it is written');
});

test('a policy loaded while a writer is about judges the file anew', async () => {
  const { ima, file, openForWriting, read, settle } = scene([APPRAISE], '0404{sha256}');
  await openForWriting();
  file.write('half');
  changeIma(ima, { hashAlgorithm: 'sha512' });
  assert.equal(await read({ writersOwn: true }), false);
  assert.equal(settle(), 'sha512');
});
