/** The kernel's answers as the repository keeps them: a file for each scene, a line for each case. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from '../helpers/project.js';
import type { Answer, Answers } from './answer.js';

const pathOf = (name: string): string => join(PROJECT, 'test/parity/captured', `${name}.jsonl`);

/** `name` is that of a scene; `newer` and `ours` are those of differences.ts. */
export function readCaptured(name: string): Answers {
  const path = pathOf(name);
  if (!existsSync(path)) return new Map();
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  return new Map(
    lines.map((line) => {
      const { name: ofCase, ...answer } = JSON.parse(line) as Answer & { name: string };
      return [ofCase, answer];
    }),
  );
}

export function writeCaptured(name: string, answers: Answers): void {
  const lines = [...answers]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([ofCase, answer]) => `${JSON.stringify({ name: ofCase, ...answer })}\n`);
  writeFileSync(pathOf(name), lines.join(''));
}
