/**
 * Where imafs answers otherwise than the captured kernel, case by case, and why. A case that is not
 * named here answers as the kernel does; one that is named and no longer differs fails the test.
 *
 * Of the first kind the newest kernel's answer is demanded (captured/newer.jsonl), of the second our
 * own (captured/ours.jsonl). `node dist/test/parity/capture.js --listed` writes both anew.
 */

export interface Difference {
  readonly why: string;
  readonly cases: readonly string[];
}

/** The kernel that stands for the newest. */
export const NEWEST = '7.3';

/** Versions differ, and the newest wins. */
export const NEWER: readonly Difference[] = [];

/** On purpose, or because a file system in user space cannot see it. */
export const OURS: readonly Difference[] = [];

/** What should be as the kernel has it and is not yet: goes when none of the cases differs any more. */
export const PENDING: readonly { readonly why: string; readonly cases: RegExp }[] = [];
