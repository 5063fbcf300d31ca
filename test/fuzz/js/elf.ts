/** The first page of whatever is opened or executed: which interpreter it names. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { interpreterPath, isElf } from '../../../src/ima/elf.js';
import { readBetween } from './surroundings.js';

export const code = ['src/ima/elf.ts'];

/** What is read of a file to find it, or about so much. */
export const longest = 4096;

export function seeds(): readonly Uint8Array[] {
  const page = readFileSync(process.execPath).subarray(0, longest);
  const bits32 = Uint8Array.from(page);
  bits32[4] = 1;
  const bigEndian = Uint8Array.from(page);
  bigEndian[5] = 2;
  return [page, bits32, bigEndian];
}

export function check(input: Uint8Array): void {
  const { path, elf } = readBetween(input, (head) => ({
    path: interpreterPath(head),
    elf: isElf(head),
  }));
  if (path === undefined) return;
  assert.ok(elf && path.startsWith('/'));
  const isInside = Buffer.from(input).includes(path) || path.includes('\ufffd');
  assert.ok(isInside, 'the path is not in the file');
}
