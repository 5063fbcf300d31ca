/** Measurement lists of other machines, which `imafs log` reads for whoever has to judge those. */
import assert from 'node:assert/strict';
import { checkEntries } from '../../../src/ima/list/check-entries.js';
import { decodeAsciiList } from '../../../src/ima/list/decode-ascii.js';
import { decodeBinaryList } from '../../../src/ima/list/decode-binary.js';
import { decodeList } from '../../../src/ima/list/decode-list.js';
import { uint32 } from '../../../src/ima/list/entry.js';
import { replay } from '../../../src/ima/list/replay.js';
import { binaryBody } from '../../../src/ima/list/show-entry.js';
import {
  type ShownEntry,
  shownDigest,
  shownFields,
  shownLine,
  shownName,
} from '../../../src/ima/list/shown-entry.js';
import { asciiList, BANKS, binaryList, MIXED } from '../../unit/ima/list/lists.js';
import { readBetween } from './surroundings.js';

export const code = ['src/ima/list', 'src/ima/template'];

export const longest = 2048;

export function seeds(): readonly Uint8Array[] {
  return [...MIXED.map((entry) => [entry]), MIXED].flatMap((entries) =>
    BANKS.flatMap((bank) => [
      binaryList(bank, entries),
      Buffer.from(asciiList(bank, entries), 'latin1'),
    ]),
  );
}

export function check(input: Uint8Array): void {
  const list = readBetween(input, decodeList);
  checkEntriesOf(list.ok ? list.value.entries : list.problem.decoded);
  for (const bank of BANKS) {
    checkBinary(input, bank);
  }
  checkAscii(Buffer.from(input).toString('latin1'));
}

/** What was decoded is all there was, up to where it could not be. */
function checkBinary(input: Uint8Array, bank: string): void {
  const list = readBetween(input, (bytes) => decodeBinaryList(bytes, bank));
  const entries = list.ok ? list.value : list.problem.decoded;
  const again = entries.map((entry) =>
    Buffer.concat([uint32(entry.pcr), entry.digest, binaryBody(entry)]),
  );
  const end = list.ok ? input.length : list.problem.offset;
  assert.equal(Buffer.compare(Buffer.concat(again), input.subarray(0, end)), 0);
}

/** A line that is shown is decoded as what is shown so, if the forms of its fields are known. */
function checkAscii(text: string): void {
  const list = decodeAsciiList(text);
  const entries = list.ok ? list.value.entries : list.problem.decoded;
  const known = entries.filter(({ template }) => template !== undefined);
  for (const line of known.map((entry) => shownLine(entry))) {
    const again = decodeAsciiList(line);
    assert.ok(again.ok, again.ok ? '' : again.problem.message);
    assert.deepEqual(
      again.value.entries.map((entry) => shownLine(entry)),
      [line],
    );
  }
}

/** Whatever is done with entries takes them as they are. */
function checkEntriesOf(entries: readonly ShownEntry[]): void {
  for (const [index, entry] of entries.entries()) {
    assert.equal(entry.number, index + 1);
    shownDigest(entry);
    shownName(entry);
    shownFields(entry);
  }
  checkEntries(entries, 'sha256');
  replay(entries, ['sha1']);
}
