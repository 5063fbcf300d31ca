/**
 * Exit codes of imafs: a promise to scripts (CLI.md). An unknown code means failure; a number is
 * never given a second meaning.
 */
export const EXIT = {
  ok: 0,
  usage: 1,
  runtime: 2,
  problems: 3,
  denied: 4,
  noDaemon: 5,
  badPath: 6,
  badPolicy: 7,
  key: 8,
  tpm: 9,
  missing: 10,
  mounted: 11,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** One line for each code, as `imafs --help` and CLI.md show it. */
export const EXIT_MEANINGS: Readonly<Record<ExitCode, string>> = {
  0: 'ok',
  1: 'wrong usage',
  2: 'runtime error',
  3: 'finished, but found problems',
  4: 'denied by policy',
  5: 'no daemon answers',
  6: 'bad mountpoint or backing directory',
  7: 'policy is not valid',
  8: 'key or signature',
  9: 'TPM',
  10: 'missing capability or device',
  11: 'already mounted',
};

/** An exit code from elsewhere (the daemon's process), or undefined if it is none of ours. */
export function asExitCode(value: unknown): ExitCode | undefined {
  return Object.values(EXIT).find((code) => code === value);
}
