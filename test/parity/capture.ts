/**
 * Asks the oracle's kernel all questions again and writes down its answers.
 *
 * usage: node dist/test/parity/capture.js [--compare KERNEL | --listed] [SCENE...]
 *
 * --compare asks another kernel of the oracle and shows where it answers otherwise; nothing is written.
 * --listed writes down what is demanded of the cases that differences.ts names.
 */
import { isDeepStrictEqual } from 'node:util';
import { type Answer, type Answers, TELLING } from './answer.js';
import { readCaptured, writeCaptured } from './captured.js';
import type { Scene } from './case.js';
import { type Difference, NEWER, NEWEST, OURS } from './differences.js';
import { answersOfKernel, isReady } from './kernel.js';
import { answersOfMount } from './mount.js';
import { SCENES } from './table.js';

const MOST_NAMES = 20;

const words = process.argv.slice(2);
const option = words[0]?.startsWith('--') ? words.shift() : undefined;
const other = option === '--compare' ? words.shift() : undefined;
if (option === '--listed') {
  writeCaptured('newer', await answersTo(NEWER, (scene) => answersOfKernel(scene, NEWEST)));
  writeCaptured('ours', await answersTo(OURS, answersOfMount));
} else {
  for (const scene of SCENES) {
    if (words.length === 0 || words.includes(scene.name)) await capture(scene);
  }
}

async function capture(scene: Scene): Promise<void> {
  if (!isReady(other ?? scene.kernel)) {
    say(`${scene.name}: the oracle has no kernel ${other ?? scene.kernel ?? ''}; left as it is`);
    return;
  }
  const before = readCaptured(scene.name);
  const start = Date.now();
  const answers = await answersOfKernel(scene, other);
  const changed = [...answers].filter(
    ([name, answer]) => before.has(name) && !isDeepStrictEqual(before.get(name), answer),
  );
  say(`${scene.name}: ${answers.size} answers in ${Math.round((Date.now() - start) / 1000)} s`);
  if (other !== undefined) {
    for (const [name, answer] of changed) showChange(name, before.get(name), answer);
    return;
  }
  writeCaptured(scene.name, answers);
  for (const [name] of changed.slice(0, MOST_NAMES)) say(`  changed: ${name}`);
  if (changed.length > MOST_NAMES) say(`  and ${changed.length - MOST_NAMES}`);
}

/** The answers to the listed cases, each scene being run whole: its policy is that of all its cases. */
async function answersTo(
  differences: readonly Difference[],
  answersOf: (scene: Scene) => Promise<Answers>,
): Promise<Answers> {
  const listed = new Set(differences.flatMap(({ cases }) => cases));
  const answers = new Map<string, Answer>();
  for (const scene of SCENES) {
    if (!scene.cases.some(({ name }) => listed.has(name))) continue;
    for (const [name, answer] of await answersOf(scene)) {
      if (listed.has(name)) answers.set(name, answer);
    }
    say(`${scene.name}: done`);
  }
  return answers;
}

function showChange(name: string, before: Answer | undefined, now: Answer): void {
  say(`  ${name}`);
  for (const part of TELLING) {
    const texts = [before?.[part], now[part]].map((it) => JSON.stringify(it));
    if (texts[0] !== texts[1]) say(`    ${part}: ${texts.join('\n       -> ')}`);
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
