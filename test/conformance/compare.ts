import type { Exclusion } from './exclusions.js';
import type { TestResult } from './results.js';

type Results = ReadonlyMap<string, TestResult>;

/**
 * What is not as it should be in one mode: a test that passes on the bare file system (or is not run
 * there) and not here, and a line of the lists that is not true any more.
 */
export function differences(
  bare: Results,
  mount: Results,
  mode: string,
  exclusions: readonly Exclusion[],
  causes: readonly string[],
): readonly string[] {
  const excluded = new Map(
    exclusions.filter(({ modes }) => modes.includes(mode)).map((each) => [each.test, each]),
  );
  const found: string[] = [];
  for (const [test, here] of mount) {
    const there = bare.get(test)?.status;
    const exclusion = excluded.get(test);
    if (here.status === 'pass') {
      if (exclusion !== undefined && !exclusion.sometimes)
        found.push(`${test}: passes, but is excluded`);
    } else if (here.status === 'notrun') {
      if (there === 'pass' && !causes.some((cause) => here.reason.includes(cause)))
        found.push(`${test}: not run, for a cause that is not listed: ${here.reason}`);
    } else if (exclusion === undefined && there !== here.status) {
      found.push(`${test}: ${here.status}, bare: ${there}`);
    }
  }
  for (const test of excluded.keys()) {
    if (!mount.has(test)) found.push(`${test}: is excluded, but there is no such test`);
  }
  return found;
}

/** `pass 1, fail 2, hang 3, notrun 4` */
export function counts(results: Results): string {
  return ['pass', 'fail', 'hang', 'notrun']
    .map((status) => {
      const number = [...results.values()].filter((each) => each.status === status).length;
      return `${status} ${number}`;
    })
    .join(', ');
}
