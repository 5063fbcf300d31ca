import { failure, type Result, success } from '../../base/result.js';
import type { PolicyProblem } from './parse-policy.js';

/** The text of a policy file, and what is wrong with how it is written down. */
export interface DecodedPolicy {
  readonly text: string;
  /** The text is without what they are about, so that it can be parsed for other problems. */
  readonly problems: readonly PolicyProblem[];
}

const BYTE_ORDER_MARK = Buffer.of(0xef, 0xbb, 0xbf);
const UTF16_MARKS = [Buffer.of(0xff, 0xfe), Buffer.of(0xfe, 0xff)];
const CARRIAGE_RETURN = /\r$/m;

/**
 * Policies are lines of bytes to the kernel, which says EINVAL to all that editors of other systems
 * add. A failure is a file that is no text at all.
 */
export function decodePolicy(bytes: Uint8Array): Result<DecodedPolicy, PolicyProblem> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const nul = buffer.indexOf(0);
  if (UTF16_MARKS.some((mark) => buffer.subarray(0, 2).equals(mark)) || nul === 0 || nul === 1) {
    const hint = 'convert the file with iconv -f UTF-16 -t UTF-8';
    return failure(problem(1, 1, 'the file is UTF-16, not plain text', hint));
  }
  if (nul > 0) {
    const before = buffer.subarray(0, nul).toString('utf8').split('\n');
    const column = (before.at(-1)?.length ?? 0) + 1;
    const hint = 'a policy is plain text: is this the right file?';
    return failure(problem(before.length, column, 'the file has a NUL byte', hint));
  }
  const problems: PolicyProblem[] = [];
  const isMarked = buffer.subarray(0, 3).equals(BYTE_ORDER_MARK);
  if (isMarked) {
    const hint = "take it away with sed -i '1s/^\\xef\\xbb\\xbf//'";
    problems.push(problem(1, 1, 'the file begins with a byte order mark', hint));
  }
  const text = buffer.subarray(isMarked ? BYTE_ORDER_MARK.length : 0).toString('utf8');
  const end = text.search(CARRIAGE_RETURN);
  if (end >= 0) {
    const before = text.slice(0, end).split('\n');
    const column = (before.at(-1)?.length ?? 0) + 1;
    const message = 'lines end with a carriage return, as on Windows';
    problems.push(problem(before.length, column, message, 'convert the file with dos2unix'));
  }
  return success({ text: end < 0 ? text : text.replace(/\r$/gm, ''), problems });
}

function problem(line: number, column: number, message: string, hint: string): PolicyProblem {
  return { line, column, token: '', message, hint, isWhole: false };
}
