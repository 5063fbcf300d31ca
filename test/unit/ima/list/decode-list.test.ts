import assert from 'node:assert/strict';
import { test } from 'node:test';

import { decodeList } from '../../../../src/ima/list/decode-list.js';
import { asciiList, BANKS, binaryList, contentOf, legacy, MIXED, ng, violation } from './lists.js';

for (const bank of BANKS) {
  test(`form and bank of a list are found (${bank})`, () => {
    const bytes = binaryList(bank, MIXED);
    const binary = decodeList(bytes);
    assert.ok(binary.ok);
    assert.deepEqual([binary.value.form, binary.value.bank], ['binary', bank]);
    assert.deepEqual(binary.value.entries.map(contentOf), MIXED.map(contentOf));
    const ascii = decodeList(Buffer.from(asciiList(bank, MIXED), 'latin1'));
    assert.ok(ascii.ok);
    assert.deepEqual([ascii.value.form, ascii.value.bank], ['ascii', bank]);
  });

  test(`a list with a changed byte is still taken for what it is (${bank})`, () => {
    const bytes = binaryList(bank, [ng('/a'), ng('/b'), legacy('/c')]);
    bytes[bytes.indexOf('/b')] = 0x2d;
    const list = decodeList(bytes);
    assert.deepEqual(list.ok && [list.value.bank, list.value.entries.length], [bank, 3]);
  });

  test(`a list cut short is refused as one of its bank (${bank})`, () => {
    const list = decodeList(binaryList(bank, [ng('/a'), ng('/b'), ng('/c')]).subarray(0, -1));
    assert.ok(!list.ok);
    const { bank: taken, number, decoded } = list.problem;
    assert.deepEqual([taken, number, decoded.length], [bank, 3, 2]);
  });
}

test('of a list of violations alone the lengths tell the bank', () => {
  const list = decodeList(binaryList('sha256', [violation('/a'), violation('/b')]));
  assert.deepEqual(list.ok && [list.value.bank, list.value.entries.length], ['sha256', 2]);
});

test('nothing is an empty list', () => {
  const list = decodeList(new Uint8Array());
  assert.deepEqual(list.ok && list.value.entries, []);
});

test('a changed line of an ascii list is refused with its number', () => {
  const list = decodeList(Buffer.from(`${asciiList('sha1', [ng('/a')])}garbage\n`));
  assert.deepEqual(!list.ok && [list.problem.form, list.problem.number], ['ascii', 2]);
});
