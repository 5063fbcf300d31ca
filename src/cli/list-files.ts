import { readFileSync, statSync } from 'node:fs';

import { errnoOf } from '../base/errno.js';
import { type DecodedList, decodeList, type ListFileProblem } from '../ima/list/decode-list.js';
import { EXIT } from './exit-codes.js';
import { UserError } from './user-error.js';

/** Whether an operand is a file rather than a mountpoint; what cannot be looked at is none. */
export function isListFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** The list in a file, of whatever form and bank; `onProblem` sees what could be decoded before. */
export function readListFile(
  path: string,
  onProblem: (problem: ListFileProblem) => void = () => undefined,
): { readonly bytes: Buffer; readonly list: DecodedList } {
  const bytes = readBytes(path);
  const list = decodeList(bytes);
  if (list.ok) return { bytes, list: list.value };
  onProblem(list.problem);
  const { number, offset, message, form, bank } = list.problem;
  const place = form === 'ascii' ? `line ${number}` : `entry ${number} (at byte ${offset})`;
  throw new UserError(EXIT.problems, 'bad-list', `${path}: ${place}: ${message}`, [
    form === 'binary'
      ? `taken for a binary list of ${bank}; the ${number - 1} entries before are whole`
      : `the ${number - 1} lines before are whole`,
  ]);
}

/** A file of the user's. */
export function readBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UserError(EXIT.badPath, 'no-such-path', `${path} cannot be read: ${errnoOf(error)}`);
  }
}
