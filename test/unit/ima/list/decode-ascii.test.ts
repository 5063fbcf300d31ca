import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';

import fc from 'fast-check';

import { checkEntries } from '../../../../src/ima/list/check-entries.js';
import { type AsciiList, decodeAsciiList } from '../../../../src/ima/list/decode-ascii.js';
import {
  type ListProblem,
  shownDigest,
  shownFields,
  shownName,
} from '../../../../src/ima/list/shown-entry.js';
import { anyEntry, asciiList, BANKS, contentOf, MIXED, ng, sig, violation } from './lists.js';

function decoded(text: string): AsciiList {
  const list = decodeAsciiList(text);
  assert.ok(list.ok, list.ok ? '' : list.problem.message);
  return list.value;
}

function problem(text: string): ListProblem {
  const list = decodeAsciiList(text);
  assert.ok(!list.ok);
  return list.problem;
}

const HASH = '5'.repeat(40);
const SHA256 = createHash('sha256').update('x').digest('hex');

for (const bank of BANKS) {
  test(`fields become the bytes they were, in a list of mixed templates (${bank})`, () => {
    const list = decoded(asciiList(bank, MIXED));
    assert.equal(list.bank, bank);
    assert.deepEqual(list.entries.map(contentOf), MIXED.map(contentOf));
    assert.deepEqual(checkEntries(list.entries, bank), []);
    const second = asciiList(bank, MIXED.slice(0, 1)).length;
    assert.deepEqual([list.entries[1]?.offset, list.entries[1]?.number], [second, 2]);
  });
}

test('a line without signature fits with its blank at the end and without', () => {
  const line = asciiList('sha1', [sig('/unsigned', '')]);
  assert.match(line, / \/unsigned \n$/);
  for (const text of [line, line.trimEnd(), `${line.trimEnd()}\n`]) {
    assert.deepEqual(checkEntries(decoded(text).entries, 'sha1'), []);
  }
});

test('zeros are a violation', () => {
  const [entry] = decoded(asciiList('sha256', [violation('/v')])).entries;
  assert.equal(entry?.isViolation, true);
});

test('a PCR of one digit has a blank before it', () => {
  assert.equal(decoded(` 7 ${HASH} ima-ng sha256:${SHA256} /x\n`).entries[0]?.pcr, 7);
});

test('an empty text is an empty list', () => {
  assert.deepEqual(decoded(''), { bank: undefined, entries: [] });
});

test('what an entry says of itself', () => {
  const [boot, old, signed, , , withIds] = decoded(asciiList('sha1', MIXED)).entries;
  assert.ok(boot && old && signed && withIds);
  assert.deepEqual(
    [shownName(boot), shownDigest(boot)?.slice(0, 7)],
    ['boot_aggregate', 'sha256:'],
  );
  assert.deepEqual([shownName(old), shownDigest(old)?.slice(0, 5)], ['/bin/old name', 'sha1:']);
  assert.deepEqual(shownFields(signed)['sig'], '030204aabb');
  const { iuid, igid, imode, xattrnames } = shownFields(withIds);
  assert.deepEqual(
    [iuid, igid, imode, xattrnames],
    ['1000', '4294967295', '33261', 'security.ima|security.capability'],
  );
});

test('a line with a NUL in it is none', () => {
  const { message } = problem(`10 ${HASH} ima-ng sha256:${SHA256} /shown\0hashed too\n`);
  assert.equal(message, 'this is no line of a measurement list');
});

test('an unknown template keeps its words, and has no name or digest', () => {
  const [entry] = decoded(`10 ${HASH} unheard-of one two\n`).entries;
  assert.ok(entry);
  assert.equal(entry.template, undefined);
  assert.deepEqual([shownName(entry), shownDigest(entry)], ['', undefined]);
  assert.deepEqual(shownFields(entry), { 1: Buffer.from('one').toString('hex'), 2: '74776f' });
});

const refused: readonly (readonly [what: string, line: string, message: RegExp])[] = [
  ['a line without anything', '', /no line of a measurement list/],
  ['another text', '# comment', /no line of a measurement list/],
  ['a hash in capitals', `10 ${'A'.repeat(40)} ima-ng x y`, /no line/],
  ['a hash of no bank', `10 ${'5'.repeat(38)} ima-ng x y`, /cannot have 38 digits/],
  ['a hash of another bank', `10 ${SHA256} ima-ng sha256:${SHA256} /x`, /sha256 one.*are sha1/],
  ['a digest without algorithm', `10 ${HASH} ima-ng ${SHA256} /x`, /field d-ng/],
  ['a digest that is not hex', `10 ${HASH} ima-ng sha256:xy /x`, /field d-ng/],
  ['half a byte', `10 ${HASH} ima-sig sha256:${SHA256} /x 030`, /field sig/],
  ['too many fields', `10 ${HASH} d-ng|sig sha256:${SHA256} 03 04`, /has 2 fields, the line 3/],
  ['an id that is no number', `10 ${HASH} n-ng|iuid /x -1`, /field iuid/],
  ['a mode too large', `10 ${HASH} n-ng|imode /x 65536`, /field imode/],
];
for (const [what, line, message] of refused) {
  test(`refused with its place: ${what}`, () => {
    const before = asciiList('sha1', [ng('/first')]);
    const found = problem(`${before}${line}\n`);
    assert.deepEqual([found.number, found.offset], [2, before.length]);
    assert.match(found.message, message);
    assert.equal(found.decoded.length, 1);
  });
}

test('what is written is read back', () => {
  fc.assert(
    fc.property(
      fc.array(anyEntry, { maxLength: 6 }),
      fc.constantFrom(...BANKS),
      (entries, bank) => {
        const list = decoded(asciiList(bank, entries));
        assert.deepEqual(list.entries.map(contentOf), entries.map(contentOf));
        assert.equal(asciiList(bank, list.entries), asciiList(bank, entries));
      },
    ),
  );
});

test('no text makes it throw', () => {
  const mutated = fc
    .tuple(fc.array(anyEntry, { maxLength: 3 }), fc.array(fc.tuple(fc.nat(), fc.nat(255))))
    .map(([entries, changes]) => {
      const bytes = Buffer.from(asciiList('sha1', entries), 'latin1');
      for (const [place, value] of changes) bytes[place % Math.max(1, bytes.length)] = value;
      return bytes.toString('latin1');
    });
  fc.assert(
    fc.property(fc.oneof(fc.string(), mutated), (text) => {
      const list = decodeAsciiList(text);
      assert.ok(list.ok || list.problem.offset <= text.length);
    }),
    { numRuns: 500 },
  );
});
