import { failure, type Result, success } from '../../base/result.js';
import { bankAlgorithms } from '../digest/bank-hash.js';
import type { HashAlgorithm } from '../ports.js';
import { checkEntries } from './check-entries.js';
import { decodeAsciiList } from './decode-ascii.js';
import { decodeBinaryList } from './decode-binary.js';
import type { ListProblem, ShownEntry } from './shown-entry.js';

/** A list of either form, as a file has it. */
export interface DecodedList {
  readonly form: 'ascii' | 'binary';
  /** Bank whose hashes it shows. */
  readonly bank: HashAlgorithm;
  readonly entries: readonly ShownEntry[];
}

/** The problem of a list, and what form and bank it was taken for. */
export interface ListFileProblem extends ListProblem, Omit<DecodedList, 'entries'> {}

/** Bank of an empty list, which is one of any. */
const ANY_BANK: HashAlgorithm = 'sha1';

/** Decodes a list whose form and bank nobody told. */
export function decodeList(bytes: Uint8Array): Result<DecodedList, ListFileProblem> {
  return looksAscii(bytes) ? decodeAscii(bytes) : decodeBinary(bytes);
}

/** A binary record begins with a small number in four bytes, three of them NULs. */
function looksAscii(bytes: Uint8Array): boolean {
  return !bytes.subarray(0, 4).includes(0);
}

function decodeAscii(bytes: Uint8Array): Result<DecodedList, ListFileProblem> {
  const decoded = decodeAsciiList(Buffer.from(bytes).toString('latin1'));
  if (!decoded.ok) return failure({ ...decoded.problem, form: 'ascii', bank: ANY_BANK });
  const { bank = ANY_BANK, entries } = decoded.value;
  return success({ form: 'ascii', bank, entries });
}

/**
 * A list is of the bank under which all of it decodes and every hash fits. Where none is, the one that
 * fits best tells what is wrong.
 */
function decodeBinary(bytes: Uint8Array): Result<DecodedList, ListFileProblem> {
  const tries: Try[] = [];
  for (const bank of bankAlgorithms) {
    const found = tryBank(bytes, bank);
    if (found.fits) return found.result;
    tries.push(found);
  }
  return tries.reduce((best, other) => (isGreater(other.score, best.score) ? other : best)).result;
}

interface Try {
  readonly result: Result<DecodedList, ListFileProblem>;
  readonly fits: boolean;
  /** The greater, the more of it is a list of that bank. */
  readonly score: readonly number[];
}

function tryBank(bytes: Uint8Array, bank: HashAlgorithm): Try {
  const decoded = decodeBinaryList(bytes, bank);
  const entries = decoded.ok ? decoded.value : decoded.problem.decoded;
  const fitting = entries.length - checkEntries(entries, bank).length;
  return {
    result: decoded.ok
      ? success({ form: 'binary', bank, entries })
      : failure({ ...decoded.problem, form: 'binary', bank }),
    fits: decoded.ok && fitting === entries.length,
    score: [decoded.ok ? 1 : 0, fitting, entries.length],
  };
}

/** By the first number that differs. */
function isGreater(left: readonly number[], right: readonly number[]): boolean {
  const index = left.findIndex((value, place) => value !== right[place]);
  return index >= 0 && (left[index] ?? 0) > (right[index] ?? 0);
}
