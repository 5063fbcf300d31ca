/**
 * Asks the oracle's kernel all questions again and writes down its answers.
 *
 * usage: node dist/test/parity/capture.js [--compare KERNEL] [SCENE...]
 *
 * --compare asks another kernel of the oracle and shows where it answers otherwise; nothing is written.
 */

import { isDeepStrictEqual } from 'node:util';
import { type Answer, TELLING } from './answer.js';
import { readCaptured, writeCaptured } from './captured.js';
import { answersOfKernel } from './kernel.js';
import { SCENES } from './table.js';

const MOST_NAMES = 20;

const words = process.argv.slice(2);
const other = words[0] === '--compare' ? words[1] : undefined;
const wanted = other === undefined ? words : words.slice(2);
for (const scene of SCENES) {
  if (wanted.length > 0 && !wanted.includes(scene.name)) continue;
  const before = readCaptured(scene);
  const start = Date.now();
  const answers = await answersOfKernel(scene, other);
  const changed = [...answers].filter(
    ([name, answer]) => before.has(name) && !isDeepStrictEqual(before.get(name), answer),
  );
  if (other === undefined) writeCaptured(scene, answers);
  const seconds = ((Date.now() - start) / 1000).toFixed(0);
  process.stdout.write(`${scene.name}: ${answers.size} answers in ${seconds} s\n`);
  if (other !== undefined) {
    for (const [name, answer] of changed) showChange(name, before.get(name), answer);
    continue;
  }
  for (const [name] of changed.slice(0, MOST_NAMES)) process.stdout.write(`  changed: ${name}\n`);
  if (changed.length > MOST_NAMES) process.stdout.write(`  and ${changed.length - MOST_NAMES}\n`);
}

function showChange(name: string, before: Answer | undefined, now: Answer): void {
  process.stdout.write(`  ${name}\n`);
  for (const part of TELLING) {
    const texts = [before?.[part], now[part]].map((it) => JSON.stringify(it));
    if (texts[0] !== texts[1]) process.stdout.write(`    ${part}: ${texts.join('\n       -> ')}\n`);
  }
}
