import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';

import fc from 'fast-check';

import { decodeBinaryList } from '../../../../src/ima/list/decode-binary.js';
import { binaryRecord } from '../../../../src/ima/list/show-entry.js';
import type { ListProblem, ShownEntry } from '../../../../src/ima/list/shown-entry.js';
import { anyEntry, BANKS, binaryList, contentOf, MIXED, ng } from './lists.js';

function decoded(bytes: Uint8Array, bank = 'sha1'): readonly ShownEntry[] {
  const list = decodeBinaryList(bytes, bank);
  assert.ok(list.ok, list.ok ? '' : list.problem.message);
  return list.value;
}

function problem(bytes: Uint8Array, bank = 'sha1'): ListProblem {
  const list = decodeBinaryList(bytes, bank);
  assert.ok(!list.ok);
  return list.problem;
}

/** Bytes written by hand: u32 is little endian. */
const u32 = (value: number): string => Buffer.from(Uint32Array.of(value).buffer).toString('hex');
const hex = (...parts: string[]): Buffer => Buffer.from(parts.join(''), 'hex');
const latin = (text: string): string => Buffer.from(text, 'latin1').toString('hex');

test('a record as the kernel lays it out', () => {
  const digest = latin('sha1:\0') + '11'.repeat(20);
  const fields = u32(26) + digest + u32(3) + latin('/a\0');
  const hash = createHash('sha1').update(hex(fields)).digest('hex');
  const record = hex(u32(11), hash, u32(6), latin('ima-ng'), u32(fields.length / 2), fields);
  const [entry] = decoded(record);
  assert.deepEqual(entry && contentOf(entry), {
    pcr: 11,
    templateName: 'ima-ng',
    fields: [hex(digest), hex(latin('/a\0'))],
    isViolation: false,
  });
  assert.deepEqual(Buffer.from(entry?.digest ?? []).toString('hex'), hash);
  assert.equal(entry?.template?.fields[0]?.id, 'd-ng');
});

test('a record of the template of old: no length of data and digest, a name without NUL', () => {
  const record = hex(u32(10), '22'.repeat(20), u32(3), latin('ima'), '33'.repeat(20), u32(2));
  const [entry] = decoded(Buffer.concat([record, hex(latin('/b'))]));
  assert.deepEqual(
    entry?.fields.map((field) => Buffer.from(field).toString('hex')),
    ['33'.repeat(20), latin('/b\0')],
  );
});

for (const bank of BANKS) {
  test(`templates may change from record to record (${bank})`, () => {
    const entries = decoded(binaryList(bank, MIXED), bank);
    assert.deepEqual(entries.map(contentOf), MIXED.map(contentOf));
    assert.deepEqual(
      entries.map(({ number }) => number),
      MIXED.map((_, index) => index + 1),
    );
    const offsets = entries.map(({ offset }) => offset);
    const length = binaryList(bank, MIXED.slice(0, 4)).length;
    assert.deepEqual([offsets[0], offsets[4]], [0, length]);
  });
}

test('fields of an unknown template are told apart by their lengths', () => {
  const [entry] = decoded(binaryRecord('sha1', { ...ng('/c'), templateName: 'unheard-of' }));
  assert.equal(entry?.template, undefined);
  assert.deepEqual(entry && contentOf(entry).fields, contentOf(ng('/c')).fields);
});

test('an empty list has no entries', () => {
  assert.deepEqual(decoded(new Uint8Array()), []);
});

const first = ng('/first');
const head = (name: string): string => u32(10) + '44'.repeat(20) + u32(name.length) + latin(name);
const refused: readonly (readonly [what: string, record: Buffer, message: RegExp])[] = [
  ['a head cut short', hex(u32(10), '44'.repeat(19)), /ends in the head/],
  ['a PCR that no TPM has', hex(u32(64), '44'.repeat(20), u32(3)), /no PCR 64/],
  ['a template without a name', hex(u32(10), '44'.repeat(20), u32(0)), /name cannot have 0 bytes/],
  ['a template name too long', hex(u32(10), '44'.repeat(20), u32(256)), /cannot have 256 bytes/],
  ['a template name cut short', hex(u32(10), '44'.repeat(20), u32(9), '61'), /9 bytes, 1 are left/],
  ['a template name of other bytes', hex(head('ima\n')), /not printable/],
  ['no data', hex(head('ima-ng'), '0000'), /ends before the data/],
  ['data cut short', hex(head('ima-ng'), u32(0xffff_ffff), '00'), /4294967295 bytes, 1 are left/],
  ['a field longer than the data', hex(head('x'), u32(5), u32(2), '00'), /field 1 has 2 bytes, 1 /],
  ['too few fields', hex(head('ima-ng'), u32(5), u32(1), '00'), /field 2 has no length, 0 /],
  ['too many fields', hex(head('d-ng'), u32(9), u32(1), '00', u32(0)), /4 bytes .* after the last/],
  ['more fields than IMA has', hex(head('x'), u32(64), u32(0).repeat(16)), /more than 15 fields/],
  ['a legacy digest cut short', hex(head('ima'), '00'), /ends in the digest/],
  ['a legacy name too long', hex(head('ima'), '00'.repeat(20), u32(256)), /cannot have 256 bytes/],
  ['a legacy name cut short', hex(head('ima'), '00'.repeat(20), u32(1)), /1 bytes, 0 are left/],
  ['a legacy name with a NUL', hex(head('ima'), '00'.repeat(20), u32(1), '00'), /NUL/],
];
for (const [what, record, message] of refused) {
  test(`refused with its place: ${what}`, () => {
    const before = binaryRecord('sha1', first);
    const found = problem(Buffer.concat([before, record]));
    assert.deepEqual([found.number, found.offset], [2, before.length]);
    assert.match(found.message, message);
    assert.deepEqual(found.decoded.map(contentOf), [contentOf(first)]);
  });
}

test('a bank that is no hash algorithm is refused', () => {
  assert.match(problem(binaryRecord('sha1', first), 'none').message, /none is no hash algorithm/);
});

test('what is written is read back, and a list cut anywhere else than between records is refused', () => {
  const list = fc.array(anyEntry, { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(list, fc.constantFrom(...BANKS), fc.nat(), (entries, bank, cut) => {
      const bytes = binaryList(bank, entries);
      const read = decoded(bytes, bank);
      assert.deepEqual(read.map(contentOf), entries.map(contentOf));
      const length = cut % bytes.length;
      const isBetween = read.some(({ offset }) => offset === length);
      assert.equal(decodeBinaryList(bytes.subarray(0, length), bank).ok, isBetween);
    }),
  );
});

test('no bytes make it throw or read beyond their end', () => {
  const mutated = fc
    .tuple(fc.array(anyEntry, { maxLength: 3 }), fc.array(fc.tuple(fc.nat(), fc.nat(255))))
    .map(([entries, changes]) => {
      const bytes = binaryList('sha256', entries);
      for (const [place, value] of changes) bytes[place % Math.max(1, bytes.length)] = value;
      return Uint8Array.from(bytes);
    });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated), (bytes) => {
      // A larger buffer around it: bytes beyond the end would be found.
      const around = new Uint8Array(bytes.length + 64).fill(0xee);
      around.set(bytes, 32);
      const inside = decodeBinaryList(around.subarray(32, 32 + bytes.length), 'sha256');
      assert.deepEqual(inside, decodeBinaryList(bytes, 'sha256'));
      const entries = inside.ok ? inside.value : inside.problem.decoded;
      assert.ok(inside.ok || inside.problem.offset <= bytes.length);
      assert.ok(entries.every(({ offset }) => offset < bytes.length));
    }),
    { numRuns: 500 },
  );
});
