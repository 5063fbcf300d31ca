/**
 * The lists of what may differ from the bare file system, each line with its reason.
 *
 * A test: `generic/NNN MODES REASON`, MODES being `all` or some of `rw,ro,off`; a `?` after them says
 * that it passes sometimes. A cause why tests are not run: `WORDS OF THE SUITE -- REASON`.
 * Empty lines and those that begin with # count for nothing.
 */
export interface Exclusion {
  readonly test: string;
  readonly modes: readonly string[];
  readonly sometimes: boolean;
}

const MODES = ['rw', 'ro', 'off'];
const EXCLUSION = /^(\S+) (all|(?:rw|ro|off)(?:,(?:rw|ro|off))*)(\??) \S/;
const CAUSE = /^(.+?) -- \S/;

function lines(text: string): readonly string[] {
  return text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
}

export function parseExclusions(text: string): readonly Exclusion[] {
  return lines(text).map((line) => {
    const [, test, modes, mark] = EXCLUSION.exec(line) ?? [];
    if (test === undefined || modes === undefined)
      throw new Error(`no test, mode, reason: ${line}`);
    return { test, modes: modes === 'all' ? MODES : modes.split(','), sometimes: mark === '?' };
  });
}

/** The words that begin with, or are in, what the suite says of a test that it does not run. */
export function parseCauses(text: string): readonly string[] {
  return lines(text).map((line) => {
    const cause = CAUSE.exec(line)?.[1];
    if (cause === undefined) throw new Error(`no cause with a reason: ${line}`);
    return cause;
  });
}
