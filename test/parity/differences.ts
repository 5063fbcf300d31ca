/**
 * Where imafs answers otherwise than the captured kernel, case by case, and why. A case that is not
 * named here answers as the kernel does; one that is named and no longer differs fails the test.
 */
import type { Answer } from './answer.js';

export interface Difference {
  readonly why: string;
  /** What of our answer is not the kernel's, by the name of the case. */
  readonly cases: Readonly<Record<string, Partial<Answer>>>;
}

export const DIFFERENCES: readonly Difference[] = [];
