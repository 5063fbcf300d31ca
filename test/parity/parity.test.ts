/**
 * Every case of the table on a mount of imafs, against what the kernel answered when `make parity` asked
 * it last. IMAFS_PARITY=TEXT runs the cases whose names hold the text; IMAFS_PARITY_SCENE=NAME one scene.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { type Deferred, deferred } from '../helpers/deferred.js';
import { type Answer, type Answers, TELLING } from './answer.js';
import { readCaptured } from './captured.js';
import { type Case, directoryOf, policyOf, type Scene } from './case.js';
import { NEWER, OURS, PENDING } from './differences.js';
import { answersOfMount } from './mount.js';
import { SCENES } from './table.js';

/** Scenes have mounts and mount namespaces of their own. */
const SIDE_BY_SIDE = 2;

const only = process.env['IMAFS_PARITY'] ?? '';
const onlyScene = process.env['IMAFS_PARITY_SCENE'];
const isPart = only !== '' || onlyScene !== undefined;

const newer = readCaptured('newer');
const ours = readCaptured('ours');
const listed = (lists: typeof NEWER, name: string) =>
  lists.find(({ cases }) => cases.includes(name));
const pendingThatDiffer = new Set<string>();

const scenes = SCENES.filter(({ name }) => onlyScene === undefined || name === onlyScene)
  .map((scene) => ({ ...scene, cases: scene.cases.filter(({ name }) => name.includes(only)) }))
  .filter(({ cases }) => cases.length > 0);
const runs = new Map<string, Deferred<Answers>>(scenes.map(({ name }) => [name, deferred()]));

before(() => {
  for (const { promise } of runs.values()) promise.catch(() => undefined); // its scene will tell
  const waiting = [...scenes];
  const runNext = async (): Promise<void> => {
    for (let scene = waiting.shift(); scene; scene = waiting.shift()) {
      const run = runs.get(scene.name);
      await answersOfMount(scene).then(run?.resolve, run?.reject);
    }
  };
  for (let side = 0; side < SIDE_BY_SIDE; side++) void runNext();
});

for (const scene of scenes) compareScene(scene);

test('names are unique, and so are the directories they give', () => {
  const cases = SCENES.flatMap((scene) => scene.cases);
  assert.equal(new Set(cases.map(({ name }) => name)).size, cases.length);
  for (const scene of SCENES) {
    assert.equal(new Set(scene.cases.map(directoryOf)).size, scene.cases.length, scene.name);
  }
});

test('each difference is of a case of the table, and only one', () => {
  const names = new Set(SCENES.flatMap(({ cases }) => cases.map(({ name }) => name)));
  const cases = [...NEWER, ...OURS].flatMap((it) => it.cases);
  assert.deepEqual(
    cases.filter((name) => !names.has(name)),
    [],
  );
  assert.equal(new Set(cases).size, cases.length);
});

test('what is pending still differs somewhere', { skip: isPart && 'a part is run' }, () => {
  const done = PENDING.filter(({ cases }) => ![...pendingThatDiffer].some((it) => cases.test(it)));
  assert.deepEqual(
    done.map(({ why }) => why),
    [],
  );
});

function compareScene(scene: Scene): void {
  describe(scene.name, () => {
    const captured = readCaptured(scene.name);
    let answers: Answers = new Map();
    before(async () => {
      answers = (await runs.get(scene.name)?.promise) ?? answers;
    });
    for (const it of scene.cases) {
      test(it.name, () => {
        compareCase(scene, it, captured.get(it.name), answers.get(it.name));
      });
    }
  });
}

function compareCase(scene: Scene, it: Case, kernel?: Answer, imafs?: Answer): void {
  assert.ok(kernel, 'not captured yet: make parity');
  assert.ok(imafs);
  const lists = [
    { found: listed(NEWER, it.name), answers: newer },
    { found: listed(OURS, it.name), answers: ours },
  ];
  const difference = lists.find(({ found }) => found);
  const wanted = difference ? difference.answers.get(it.name) : kernel;
  assert.ok(wanted, 'not captured yet: node dist/test/parity/capture.js --listed');
  if (difference && isEqual(wanted, kernel)) {
    assert.fail('no longer differs: take it out of differences.ts');
  }
  if (isEqual(imafs, wanted)) return;
  if (difference?.found?.isOccasional && isEqual(imafs, kernel)) return;
  if (PENDING.some(({ cases }) => cases.test(it.name))) pendingThatDiffer.add(it.name);
  else assert.fail(report(scene, it, wanted, imafs));
}

const isEqual = (left: Answer, right: Answer): boolean =>
  TELLING.every((part) => text(left[part]) === text(right[part]));

function report(scene: Scene, it: Case, kernel: Answer, imafs: Answer): string {
  const rules = policyOf({ ...scene, cases: [it] });
  const parts = TELLING.filter((part) => text(kernel[part]) !== text(imafs[part]));
  return [
    it.name,
    ...rules.map((rule) => `  rule    ${rule}`),
    ...Object.entries(it.files ?? {}).map(([name, file]) => `  file    ${name} ${text(file)}`),
    ...it.steps.map((step) => `  step    ${step}`),
    ...parts.flatMap((part) => [
      `  ${part}`,
      `    kernel  ${text(kernel[part])}`,
      `    imafs   ${text(imafs[part])}`,
    ]),
    `  alone   IMAFS_PARITY='${it.name}' node dist/test/run-tests.js parity/parity`,
  ].join('\n');
}

const text = (value: unknown): string => JSON.stringify(value);
