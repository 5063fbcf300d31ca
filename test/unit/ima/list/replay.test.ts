import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';

import { checkEntries } from '../../../../src/ima/list/check-entries.js';
import { decodeBinaryList } from '../../../../src/ima/list/decode-binary.js';
import { type ListEntry, templateHash } from '../../../../src/ima/list/entry.js';
import { type Agreement, agreement, replay } from '../../../../src/ima/list/replay.js';
import type { ShownEntry } from '../../../../src/ima/list/shown-entry.js';
import { BANKS, binaryList, inPcr, MIXED, ng, violation } from './lists.js';

function shown(entries: readonly ListEntry[], bank = 'sha256'): readonly ShownEntry[] {
  const list = decodeBinaryList(binaryList(bank, entries), bank);
  assert.ok(list.ok);
  return list.value;
}

/** As a TPM does: by OpenSSL, from the template hashes. */
function pcr(bank: string, hashes: readonly Uint8Array[]): Buffer {
  const zeros = Buffer.alloc(createHash(bank).digest().length);
  return hashes.reduce<Buffer>(
    (value, hash) => createHash(bank).update(value).update(hash).digest(),
    zeros,
  );
}

const hashes = (bank: string, entries: readonly ListEntry[]): Uint8Array[] =>
  entries.map((entry) =>
    entry.isViolation
      ? Buffer.alloc(createHash(bank).digest().length, 0xff)
      : templateHash(bank, entry),
  );

const LIST = [ng('/a'), ng('/b'), violation('/c'), ng('/d'), ng('/e')];

function compare(entries: readonly ShownEntry[], value: Uint8Array, number = 10): Agreement {
  return agreement(entries, 'sha256', { bank: 'sha256', pcr: number, value });
}

test('PCRs begin as zeros, a violation extends ones, each PCR has its own entries', () => {
  const list = [...LIST, inPcr(11, ng('/f')), ng('/g')];
  const values = replay(list, BANKS);
  for (const bank of BANKS) {
    const ten = hashes(bank, [...LIST, ng('/g')]);
    assert.deepEqual(Buffer.from(values.get(bank)?.get(10) ?? []), pcr(bank, ten));
    assert.deepEqual(
      Buffer.from(values.get(bank)?.get(11) ?? []),
      pcr(bank, hashes(bank, [ng('/f')])),
    );
    assert.equal(values.get(bank)?.size, 2);
  }
});

test('every entry of an honest list fits its hash', () => {
  for (const bank of BANKS) assert.deepEqual(checkEntries(shown(MIXED, bank), bank), []);
});

test('a changed byte of data is found with the hash it has now; a violation fits any data', () => {
  const changed = shown(LIST).map((entry) =>
    [2, 3].includes(entry.number) ? { ...entry, fields: ng('/evil').fields } : entry,
  );
  const [misfit, ...more] = checkEntries(changed, 'sha256');
  assert.equal(more.length, 0);
  assert.equal(misfit?.entry.number, 2);
  assert.deepEqual(Buffer.from(misfit.computed), Buffer.from(templateHash('sha256', ng('/evil'))));
});

for (const length of [0, 1, 3, 5]) {
  test(`a PCR that has the first ${length} of 5 entries`, () => {
    const value = pcr('sha256', hashes('sha256', LIST.slice(0, length)));
    assert.deepEqual(compare(shown(LIST), value), { kind: 'prefix', least: length, most: length });
  });
}

test('entries of other PCRs may follow or not: that PCR cannot tell', () => {
  const list = [ng('/a'), inPcr(11, ng('/b')), inPcr(11, ng('/c')), ng('/d')];
  const value = pcr('sha256', hashes('sha256', [ng('/a')]));
  assert.deepEqual(compare(shown(list), value), { kind: 'prefix', least: 1, most: 3 });
  const none = compare(shown(list), Buffer.alloc(32), 12);
  assert.deepEqual(none, { kind: 'prefix', least: 0, most: 4 });
});

test('a PCR of another bank than the list is computed from the data', () => {
  const value = pcr('sha1', hashes('sha1', LIST));
  const found = agreement(shown(LIST), 'sha256', { bank: 'sha1', pcr: 10, value });
  assert.deepEqual(found, { kind: 'prefix', least: 5, most: 5 });
});

test('a changed entry is named, the first of them', () => {
  const value = pcr('sha256', hashes('sha256', LIST));
  const changed = shown(LIST).map((entry) =>
    entry.number === 2 || entry.number === 4 ? { ...entry, fields: ng('/evil').fields } : entry,
  );
  const found = compare(changed, value);
  assert.equal(found.kind === 'changed' && found.entry.number, 2);
});

test('a violation made of an entry, an entry dropped or one put in: no beginning fits', () => {
  const value = pcr('sha256', hashes('sha256', LIST));
  for (const list of [
    LIST.map((entry, index) => (index === 1 ? violation('/b') : entry)),
    LIST.filter((_, index) => index !== 2),
    [...LIST.slice(0, 2), ng('/new'), ...LIST.slice(2)],
    [ng('/b'), ng('/a'), ...LIST.slice(2)],
  ]) {
    assert.deepEqual(compare(shown(list), value), { kind: 'none' });
  }
});

test('a value of the wrong length fits nothing', () => {
  assert.deepEqual(compare(shown(LIST), Buffer.alloc(20)), { kind: 'none' });
});
