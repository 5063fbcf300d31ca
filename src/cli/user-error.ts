import type { ExitCode } from './exit-codes.js';

/**
 * A failure told to the user: what failed, and what to do about it. The only error class of the
 * command line; whatever else is thrown is a bug and exits 2 with its stack.
 *
 * Tone: no capital at the start, no full stop at the end.
 */
export class UserError extends Error {
  constructor(
    readonly exit: ExitCode,
    /** Stable word for scripts, `unknown-option`. */
    readonly code: string,
    message: string,
    readonly hints: readonly string[] = [],
  ) {
    super(message);
    this.name = 'UserError';
  }
}
