/**
 * Every case of the table on a mount of imafs, against what the kernel answered when `make parity` asked
 * it last. IMAFS_PARITY=TEXT runs the cases whose names hold the text; IMAFS_PARITY_SCENE=NAME one scene.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { type Answer, type Answers, TELLING } from './answer.js';
import { readCaptured } from './captured.js';
import { type Case, policyOf, type Scene } from './case.js';
import { DIFFERENCES } from './differences.js';
import { answersOfMount } from './mount.js';
import { SCENES } from './table.js';

const only = process.env['IMAFS_PARITY'] ?? '';

const onlyScene = process.env['IMAFS_PARITY_SCENE'];

for (const whole of SCENES) {
  if (onlyScene !== undefined && whole.name !== onlyScene) continue;
  const cases = whole.cases.filter(({ name }) => name.includes(only));
  if (cases.length > 0) compareScene({ ...whole, cases });
}

test('each difference is of a case of the table', () => {
  const names = new Set(SCENES.flatMap(({ cases }) => cases.map(({ name }) => name)));
  const unknown = DIFFERENCES.flatMap((it) => Object.keys(it.cases)).filter((it) => !names.has(it));
  assert.deepEqual(unknown, []);
});

function compareScene(scene: Scene): void {
  describe(scene.name, () => {
    const captured = readCaptured(scene);
    let ours: Answers = new Map();
    before(async () => {
      ours = await answersOfMount(scene);
    });
    for (const it of scene.cases) {
      test(it.name, () => {
        compareCase(scene, it, captured.get(it.name), ours.get(it.name));
      });
    }
  });
}

function compareCase(scene: Scene, it: Case, kernel?: Answer, ours?: Answer): void {
  assert.ok(kernel, 'not captured yet: make parity');
  assert.ok(ours);
  const difference = DIFFERENCES.find(({ cases }) => it.name in cases);
  const wanted = { ...kernel, ...difference?.cases[it.name] };
  if (difference)
    assert.notDeepEqual(ours, kernel, 'no longer differs: take it out of differences');
  if (isEqual(ours, wanted)) return;
  assert.fail(report(scene, it, wanted, ours));
}

const isEqual = (left: Answer, right: Answer): boolean =>
  TELLING.every((part) => text(left[part]) === text(right[part]));

function report(scene: Scene, it: Case, kernel: Answer, ours: Answer): string {
  const rules = policyOf({ ...scene, cases: [it] });
  const parts = TELLING.filter((part) => text(kernel[part]) !== text(ours[part]));
  return [
    it.name,
    ...rules.map((rule) => `  rule    ${rule}`),
    ...Object.entries(it.files ?? {}).map(([name, file]) => `  file    ${name} ${text(file)}`),
    ...it.steps.map((step) => `  step    ${step}`),
    ...parts.flatMap((part) => [
      `  ${part}`,
      `    kernel  ${text(kernel[part])}`,
      `    imafs   ${text(ours[part])}`,
    ]),
    `  alone   IMAFS_PARITY='${it.name}' node dist/test/run-tests.js parity/parity`,
  ].join('\n');
}

const text = (value: unknown): string => JSON.stringify(value);
