/** The C programs that do what is timed, so that nothing of Node is timed with it. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

import { PROJECT } from '../helpers/project.js';

export interface Programs {
  /** What openloop prints: nanoseconds, or a count. */
  readonly openloop: (...words: readonly string[]) => number;
  /** Microseconds that an extend takes, the mean of `count`. */
  readonly extendloop: (tcti: string, pcr: number, count: number) => number;
}

export function compile(work: string): Programs {
  const build = (name: string, ...libraries: readonly string[]): string => {
    const program = join(work, name);
    const source = join(PROJECT, 'test/bench', `${name}.c`);
    execFileSync('cc', ['-O2', '-o', program, source, ...libraries]);
    return program;
  };
  const openloop = build('openloop');
  const extendloop = build('extendloop', '-ltss2-esys', '-ltss2-tctildr');
  const run = (program: string, words: readonly string[]): string =>
    execFileSync(program, words, { encoding: 'utf8' });
  return {
    openloop: (...words) => Number(run(openloop, words)),
    extendloop: (tcti, pcr, count) =>
      Number(run(extendloop, [tcti, String(pcr), String(count)]).split(' ')[1]),
  };
}
