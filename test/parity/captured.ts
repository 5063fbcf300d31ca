/** The kernel's answers as the repository keeps them: a file for each scene, a line for each case. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from '../helpers/project.js';
import type { Answer, Answers } from './answer.js';
import type { Scene } from './case.js';

const pathOf = (scene: Scene): string =>
  join(PROJECT, 'test/parity/captured', `${scene.name}.jsonl`);

export function readCaptured(scene: Scene): Answers {
  const path = pathOf(scene);
  if (!existsSync(path)) return new Map();
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  return new Map(
    lines.map((line) => {
      const { name, ...answer } = JSON.parse(line) as Answer & { name: string };
      return [name, answer];
    }),
  );
}

export function writeCaptured(scene: Scene, answers: Answers): void {
  const lines = [...answers]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, answer]) => `${JSON.stringify({ name, ...answer })}\n`);
  writeFileSync(pathOf(scene), lines.join(''));
}
