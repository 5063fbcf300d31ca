import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type ListEntry, listDigest } from '../../../src/ima/list/entry.js';
import { asciiLine, binaryRecord } from '../../../src/ima/list/show-entry.js';
import { DigestIndex } from '../../../src/lists/digest-index.js';
import { type ListForm, MeasurementList } from '../../../src/lists/measurement-list.js';
import { encodeRecord } from '../../../src/lists/record.js';
import { entryFor } from './fixture.js';

const directory = mkdtempSync(join(tmpdir(), 'imafs-lists-'));
after(() => rmSync(directory, { recursive: true }));

let files = 0;
const fileOf = (entries: readonly ListEntry[]): string => {
  const file = join(directory, `journal-${++files}`);
  appendFileSync(file, Buffer.concat(entries.map(encodeRecord)));
  return file;
};

const mixed = Array.from({ length: 1000 }, (_, index) =>
  entryFor(`/file with spaces/${index}${'x'.repeat(index % 300)}`, {
    pcr: index % 7 === 0 ? 11 : 10,
    template: ['ima-ng', 'ima-sig', 'ima'][index % 3] ?? '',
    isViolation: index % 50 === 3,
  }),
);

const expected = (form: ListForm, bank: string): Buffer =>
  Buffer.concat(
    mixed.map((entry) =>
      form === 'ascii' ? Buffer.from(asciiLine(bank, entry), 'latin1') : binaryRecord(bank, entry),
    ),
  );

const readAll = (list: MeasurementList, form: ListForm, bank: string, size: number): Buffer => {
  const parts: Uint8Array[] = [];
  for (let at = 0; ; ) {
    const part = list.read(form, bank, at, size);
    if (part.length === 0) return Buffer.concat(parts);
    parts.push(part);
    at += part.length;
  }
};

for (const form of ['ascii', 'binary'] as const) {
  for (const bank of ['sha1', 'sha256', 'sha384', 'sha512']) {
    test(`the ${form} list of ${bank} is that of its entries, by whatever pieces it is read`, () => {
      const list = new MeasurementList(fileOf(mixed));
      const whole = expected(form, bank);
      for (const size of [whole.length + 1, 131_072, 4096, 777]) {
        assert.deepEqual(readAll(list, form, bank, size), whole, `in pieces of ${size}`);
      }
      for (const at of [0, 1, 5000, whole.length - 3, whole.length, whole.length + 9]) {
        assert.deepEqual(Buffer.from(list.read(form, bank, at, 10)), whole.subarray(at, at + 10));
      }
      list.close();
      assert.equal(list.read(form, bank, 0, 10).length, 0);
    });
  }
}

test('what is appended is seen at the end, and at once', () => {
  const list = new MeasurementList(fileOf([]));
  let text = '';
  for (const entry of mixed.slice(0, 300)) {
    const record = encodeRecord(entry);
    appendFileSync(list.descriptor, record);
    list.appended(record);
    const line = asciiLine('sha1', entry);
    assert.equal(String(list.read('ascii', 'sha1', text.length, 10_000)), line);
    text += line;
  }
  assert.equal(list.count, 300);
  assert.equal(list.violations, mixed.slice(0, 300).filter((one) => one.isViolation).length);
  list.close();
});

test('an entry is found by hash and PCR, a violation never', () => {
  const list = new MeasurementList(fileOf(mixed));
  mixed.forEach((entry, position) => {
    const found = list.find(listDigest('sha256', entry), entry.pcr);
    assert.equal(found, entry.isViolation ? undefined : position);
    assert.equal(list.find(listDigest('sha256', entry), 12), undefined);
  });
  assert.deepEqual(new Set(list.pcrs), new Set([10, 11]));
  list.close();
});

test('whatever a crash left of the last record is cut off', () => {
  const record = encodeRecord(entryFor('/cut'));
  for (const left of [1, 3, 4, 12, 63, 64, record.length - 1]) {
    const file = fileOf(mixed.slice(0, 5));
    const size = statSync(file).size;
    appendFileSync(file, record.subarray(0, left));
    const list = new MeasurementList(file);
    assert.deepEqual([list.count, statSync(file).size], [5, size], `${left} bytes`);
    list.close();
  }
});

test('records are visited from any position on', () => {
  const list = new MeasurementList(fileOf(mixed));
  for (const from of [0, 1, 255, 256, 257, 999, 1000]) {
    let visited = 0;
    list.forEach(from, () => (visited += 1));
    assert.equal(visited, 1000 - from);
  }
  list.close();
});

test('digests that begin alike are told apart, however many there are', () => {
  const index = new DigestIndex();
  const digest = (number: number): Buffer => {
    const bytes = Buffer.alloc(32, 7);
    bytes.writeUInt32LE(number, 28);
    return bytes;
  };
  for (let number = 0; number < 20_000; number++) index.add(digest(number), 10, true);
  for (let number = 0; number < 20_000; number += 97) {
    assert.equal(index.find(digest(number), 10), number);
  }
  assert.equal(index.find(digest(20_000), 10), undefined);
});
