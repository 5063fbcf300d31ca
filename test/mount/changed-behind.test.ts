import assert from 'node:assert/strict';
import {
  appendFileSync,
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';

import { PROTECTED, useImafs } from '../helpers/imafs.js';
import { labelFile, labelFor, setLabel } from '../helpers/label.js';
import { program } from '../helpers/programs.js';

const imafs = useImafs({ policy: [`appraise fowner=${PROTECTED}`] });

/** Opens twice, so that a verdict would be remembered. */
async function warm(file: string): Promise<void> {
  assert.deepEqual(await imafs.system.xt(`open r ${file} , open r ${file}`), [
    'open=ok',
    'open=ok',
  ]);
}

async function refused(file: string): Promise<void> {
  assert.deepEqual(await imafs.system.xt(`open r ${file}`), ['open=EACCES']);
}

function rewrite(path: string, content: string): void {
  const descriptor = openSync(path, 'r+');
  writeSync(descriptor, content, 0);
  fsyncSync(descriptor);
  closeSync(descriptor);
}

imafs.test(
  'a file whose content changed in place is refused, and allowed again with a new label',
  async () => {
    const file = imafs.put('content', 'before\n');
    await warm(file);
    rewrite(imafs.behind('content'), 'after!\n');
    await refused(file);
    labelFile(imafs.behind('content'));
    assert.deepEqual(await imafs.system.xt(`open r ${file} , read`), [
      'open=ok',
      'read=ok 7 after!',
    ]);
  },
);

imafs.test('a file that grew or shrank is refused', async () => {
  const file = imafs.put('size', 'text\n');
  await warm(file);
  appendFileSync(imafs.behind('size'), 'more\n');
  await refused(file);
  writeFileSync(imafs.behind('size'), '');
  await refused(file);
});

imafs.test('a changed file with its old size and mtime is refused', async () => {
  const file = imafs.put('mtime', 'before\n');
  await warm(file);
  const { atime, mtime } = statSync(imafs.behind('mtime'));
  rewrite(imafs.behind('mtime'), 'after!\n');
  utimesSync(imafs.behind('mtime'), atime, mtime);
  await refused(file);
});

imafs.test('a program changed in place is not executed', async () => {
  const file = imafs.putProgram('program', program('exit-good'));
  assert.deepEqual(await imafs.system.xt(`run ${file} , run ${file}`), [
    'run=ok exit 0',
    'run=ok exit 0',
  ]);
  writeFileSync(imafs.behind('program'), readFileSync(program('exit-bad')));
  assert.deepEqual(await imafs.system.xt(`run ${file}`), ['run=EACCES']);
});

for (const withLabel of [true, false]) {
  const how = withLabel ? 'carrying the old label' : 'without a label';
  imafs.test(`an unlawful file renamed over the name, ${how}, is refused`, async () => {
    const name = `renamed-${withLabel}`;
    const file = imafs.put(name, 'before\n');
    await warm(file);
    imafs.put(`${name}.new`, 'after!\n', { label: withLabel ? labelFor('before\n') : 'none' });
    renameSync(imafs.behind(`${name}.new`), imafs.behind(name));
    await refused(file);
  });
}

imafs.test(
  'a labelled file renamed over the name is served at once, with its own content',
  async () => {
    const file = imafs.put('swapped', 'before\n');
    await warm(file);
    imafs.put('swapped.new', 'after that\n');
    renameSync(imafs.behind('swapped.new'), imafs.behind('swapped'));
    assert.deepEqual(await imafs.system.xt(`open r ${file} , read`), [
      'open=ok',
      'read=ok 11 after that',
    ]);
  },
);

imafs.test(
  'a file unlinked and made anew, its inode number used again, is judged for itself',
  async () => {
    const file = imafs.put('anew', 'before\n');
    await warm(file);
    unlinkSync(imafs.behind('anew'));
    imafs.put('anew', 'after!\n', { label: 'none' });
    await refused(file);
    labelFile(imafs.behind('anew'));
    assert.deepEqual(await imafs.system.xt(`open r ${file} , read`), [
      'open=ok',
      'read=ok 7 after!',
    ]);
  },
);

imafs.test('a name that is gone is ENOENT, and is there again when it comes back', async () => {
  const file = imafs.put('gone', 'text\n');
  await warm(file);
  renameSync(imafs.behind('gone'), imafs.behind('hidden'));
  assert.deepEqual(await imafs.system.xt(`open r ${file}`), ['open=ENOENT']);
  renameSync(imafs.behind('hidden'), imafs.behind('gone'));
  await warm(file);
});

for (const labelled of [false, true]) {
  const outcome = labelled ? 'serves its labelled files' : 'does not pass its unlabelled files';
  imafs.test(`a directory swapped for another ${outcome}`, async () => {
    const name = `directory-${labelled}`;
    imafs.put(`${name}/sub/file`, 'before\n');
    const file = imafs.at(`${name}/sub/file`);
    await warm(file);
    imafs.put(`${name}-new/sub/file`, 'after!\n', labelled ? {} : { label: 'none' });
    renameSync(imafs.behind(name), imafs.behind(`${name}-old`));
    renameSync(imafs.behind(`${name}-new`), imafs.behind(name));
    if (!labelled) return refused(file);
    assert.deepEqual(await imafs.system.xt(`open r ${file} , read`), [
      'open=ok',
      'read=ok 7 after!',
    ]);
  });
}

imafs.test(
  'a file of link count 0 is judged on itself when it is opened through /proc/self/fd',
  async () => {
    const file = imafs.put('unlinked', 'before\n');
    const reader = imafs.system.startXt(
      `open r ${file} , wait , reopen r , wait , reopen r , read`,
    );
    await reader.printed('waiting');
    const behind = openSync(imafs.behind('unlinked'), 'r+');
    unlinkSync(imafs.behind('unlinked'));
    await reader.proceed();
    await reader.printed('waiting', 2);
    writeSync(behind, 'after!\n', 0);
    closeSync(behind);
    await reader.proceed(2);
    const { stdout } = await reader.ended;
    const results = stdout.split('\n').filter((line) => line.startsWith('reopen'));
    assert.deepEqual(results, ['reopen=ok', 'reopen=EACCES']);
  },
);

imafs.test(
  'a file renamed behind the mount is still the same file for an open descriptor',
  async () => {
    const file = imafs.put('moved', 'text\n');
    const reader = imafs.system.startXt(`open r ${file} , wait , reopen r , read`);
    await reader.printed('waiting');
    renameSync(imafs.behind('moved'), imafs.behind('moved-away'));
    await reader.proceed();
    assert.match((await reader.ended).stdout, /reopen=ok\nread=ok 5 text\n/);
  },
);

imafs.test('a change by one of two hard links is seen through the other', async () => {
  const file = imafs.put('link-a', 'before\n');
  linkSync(imafs.behind('link-a'), imafs.behind('link-b'));
  await warm(file);
  await warm(imafs.at('link-b'));
  rewrite(imafs.behind('link-b'), 'after!\n');
  await refused(file);
});

imafs.test('a label taken away or changed behind the mount counts at the next open', async () => {
  const file = imafs.put('label', 'text\n');
  await warm(file);
  setLabel(imafs.behind('label'), labelFor('other'));
  await refused(file);
  setLabel(imafs.behind('label'), labelFor('text\n'));
  await warm(file);
});
