/** Trees of files: order, threads, interrupts, changes under way. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { labelFor, labelOf, labelsBelow } from '../helpers/label.js';
import { IMAFS } from '../helpers/project.js';
import { jsonLines, transcript } from '../unit/cli/transcript.js';

const FILES = 3000;
const DIRECTORIES = 30;

const work = mkdtempSync(join(tmpdir(), 'imafs-trees-'));
after(() => {
  rmSync(work, { recursive: true, force: true });
});

/** Paths in the order of the walk. */
function makeTree(name: string, files = FILES): string[] {
  const tree = join(work, name);
  const paths = Array.from({ length: files }, (_, index) =>
    join(tree, `d${index % DIRECTORIES}`, `f${index}`),
  );
  for (const [index, path] of paths.entries()) {
    if (index < DIRECTORIES) mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, path);
  }
  return paths.sort();
}

test('lines come in the order of the walk, whatever the number of threads', async () => {
  const paths = makeTree('order');
  // The first is done last.
  writeFileSync(paths[0] ?? '', Buffer.alloc(50_000_000));
  for (const jobs of [1, 2, 7]) {
    await transcript(`label clear -r ${work}/order`);
    const { exit, ...rest } = await transcript(
      `label hash --json --jobs ${jobs} -r ${work}/order ${work}/missing`,
    );
    const lines = jsonLines({ exit, ...rest });
    const shown = lines.slice(0, -1).map(({ path, result }) => [path, result]);
    const wanted = paths.map((path) => [path, 'labelled']);
    assert.deepEqual(shown, [...wanted, [`${work}/missing`, 'failed']], `${jobs} jobs`);
    const { done, unchanged, failed } = lines.at(-1) ?? {};
    assert.deepEqual([exit, done, unchanged, failed], [3, FILES, 0, 1]);
  }
});

test('a dry run says what would be done, and writes nothing', async () => {
  const paths = makeTree('dry', 40);
  const [first = '', second = ''] = paths;
  await transcript(`label hash ${first}`);
  const hashed = await transcript(`label hash -n -r ${work}/dry`);
  assert.equal(hashed.exit, 0);
  assert.match(hashed.stdout, new RegExp(`^${second}: would be labelled sha256:`, 'm'));
  assert.match(hashed.stdout, /^39 would change, 1 unchanged, 0 failed$/m);
  const cleared = await transcript(`label clear --dry-run -r ${work}/dry`);
  assert.match(cleared.stdout, new RegExp(`^${first}: would be cleared\n1 would change, 39 un`));
  assert.deepEqual([labelOf(first), labelOf(second)], [labelFor(first), undefined]);
});

test('hard links of one file are all right', async () => {
  const paths = makeTree('links', 400);
  for (const path of paths) linkSync(path, `${path}-link`);
  const { exit, stderr } = await transcript(`label hash --jobs 4 -r ${work}/links`);
  assert.deepEqual([exit, stderr], [0, '']);
  const labels = labelsBelow(join(work, 'links'));
  for (const path of paths) assert.equal(labels.get(`${path}-link`), labelFor(path));
});

/** Runs the command itself, and interrupts it once it has told of `lines` files. */
async function interrupted(
  lines: number,
  signal: NodeJS.Signals,
): Promise<[number | null, string]> {
  const words = [...IMAFS.slice(1), 'label', 'hash', '--json', '-r', join(work, 'stop')];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    if (stdout.split('\n').length > lines && !child.killed) child.kill(signal);
  });
  const exit = await new Promise<number | null>((resolve) => {
    child.on('close', resolve);
  });
  return [exit, stdout];
}

test('an interrupt leaves whole labels only and says how far it came; again does the rest', async () => {
  const paths = makeTree('stop', 8000);
  const [exit, stdout] = await interrupted(50, 'SIGINT');
  const lines = jsonLines({ exit: 0, stdout, stderr: '' });
  const error = lines.at(-1);
  assert.deepEqual([exit, error?.['code']], [2, 'interrupted']);
  const done = Number(lines.at(-2)?.['done']);
  assert.ok(done >= 50 && done < paths.length, `${done} done`);
  const labels = labelsBelow(join(work, 'stop'));
  assert.equal(labels.size, done);
  for (const [path, label] of labels) assert.equal(label, labelFor(path));
  const again = await transcript(`label hash -r ${work}/stop`);
  const rest = paths.length - done;
  assert.equal(again.stdout, `${rest} changed, ${done} unchanged, 0 failed\n`);
});

test('files that change and vanish meanwhile fail or are right; once it is quiet all are', async () => {
  const paths = makeTree('busy', 300);
  const end = new AbortController();
  const busy = (async () => {
    for (let round = 0; !end.signal.aborted; round += 1) {
      const path = paths[(round * 7) % paths.length] ?? '';
      if (round % 10 === 0) rmSync(path, { force: true });
      else writeFileSync(path, `${path} ${round}`);
      if (round % 20 === 0) await sleep(0);
    }
  })();
  for (let round = 0; round < 10; round += 1) {
    const { stderr } = await transcript(`label hash -r ${work}/busy`);
    for (const line of stderr.split('\n')) assert.match(line, /^$|: (ENOENT|changed while .*)$/);
  }
  end.abort();
  await busy;
  const { exit } = await transcript(`label hash -r ${work}/busy`);
  assert.equal(exit, 0);
  const again = await transcript(`label hash -r ${work}/busy`);
  assert.match(again.stdout, /^0 changed, \d+ unchanged, 0 failed\n$/);
});
