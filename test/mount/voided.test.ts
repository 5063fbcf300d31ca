/**
 * Every way in which content can change voids the verdict: before the next open once the last writer
 * is gone, and at once where the writer belongs to another namespace. The rule judges reading alone,
 * so that no writer is stopped and nobody labels anew what was written: a verdict that outlived the
 * content would serve it.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { renameSync, statSync, utimesSync } from 'node:fs';
import { describe } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { type Imafs, PROTECTED, useImafs } from '../helpers/imafs.js';
import { labelFor } from '../helpers/label.js';
import type { Namespace } from '../helpers/namespace.js';
import { program } from '../helpers/programs.js';

const POLICY = [`appraise func=FILE_CHECK mask=MAY_READ fowner=${PROTECTED}`];
const CONTENT = 'before';

/** By operations of xt on the file $F; $X is one of other content with its label, $S one to copy. */
const WAYS: Readonly<Record<string, string>> = {
  'write(2)': 'open w $F , write after! , close',
  'write(2) with O_SYNC': 'open ws $F , write after! , close',
  'an append': 'open a $F , write + , close',
  'pwrite(2)': 'open rw $F , pwrite 2 FT , close',
  'truncation by path': 'truncate $F 3',
  'truncation by descriptor': 'open w $F , ftruncate 3 , close',
  O_TRUNC: 'open wt $F , close',
  'O_TRUNC with O_RDONLY': 'open rt $F , close',
  'punching a hole': 'open rw $F , fallocate 3 0 3 , close',
  'zeroing a range': 'open rw $F , fallocate 16 0 3 , close',
  'allocating beyond the end': 'open rw $F , fallocate 0 0 10 , close',
  'copy_file_range(2)': 'open r $S , open w $F , copyrange 0 6 , close',
  'sendfile(2)': 'open r $S , open w $F , sendfile 0 6 , close',
  'a store through a mapping': 'open rw $F , mmap rw s 6 , store 0 after! , munmap , close',
  'a store after close(2)': 'open rw $F , mmap rw s 6 , close , store 0 after! , munmap',
  'a store after msync(2) and close(2)':
    'open rw $F , mmap rw s 6 , store 0 before , msync , close , store 0 after! , munmap',
  'rename(2) over it': 'rename $X $F',
  'an exchange of names': 'rename $X $F exchange',
  'unlinking and linking another': 'unlink $F , link $X $F',
  'write(2), size and times restored':
    'open rw $F , write after! , close , utimens $F 1000000000 0 1000000000 0',
};

interface Prepared {
  readonly file: string;
  readonly name: string;
  readonly operations: (text: string) => string;
}

/** A file whose verdict is remembered for `readers`, and another one to be put in its place. */
async function prepare(
  imafs: Imafs,
  name: string,
  readers: readonly Namespace[],
): Promise<Prepared> {
  const file = imafs.put(name, CONTENT);
  utimesSync(imafs.behind(name), 1_000_000_000, 1_000_000_000);
  imafs.put(`${name}.other`, 'after!', { label: labelFor(CONTENT) });
  imafs.put(`${name}.source`, 'after!', { label: 'none', owner: 0 });
  // Remembered is what was quiet for a tick of the kernel's clock.
  await sleep(20);
  for (const reader of readers) {
    assert.deepEqual(await reader.xt(`open r ${file} , open r ${file} , open r ${file}`), [
      'open=ok',
      'open=ok',
      'open=ok',
    ]);
  }
  const operations = (text: string): string =>
    text
      .replaceAll('$F', file)
      .replaceAll('$X', imafs.at(`${name}.other`))
      .replaceAll('$S', imafs.at(`${name}.source`));
  return { file, name, operations };
}

async function refused(reader: Namespace, file: string): Promise<void> {
  assert.deepEqual(await reader.xt(`open r ${file}`), ['open=EACCES']);
}

const nameOf = (what: string): string => what.replaceAll(/\W+/g, '-');

for (const passthrough of ['rw', 'ro', 'off']) {
  describe(`passthrough=${passthrough}: the verdict is void after`, () => {
    const imafs = useImafs({ policy: POLICY, options: { passthrough } });

    for (const [what, way] of Object.entries(WAYS)) {
      imafs.test(what, async () => {
        const { file, operations } = await prepare(imafs, nameOf(what), [imafs.system]);
        const results = await imafs.system.xt(operations(way));
        assert.ok(
          results.every((line) => line.includes('=ok')),
          results.join(' '),
        );
        await refused(imafs.system, file);
      });
    }

    imafs.test("a store into a mapping that outlives its process's descriptor", async () => {
      const { file } = await prepare(imafs, 'outlives', [imafs.system]);
      const writer = imafs.system.startXt(
        `open rw ${file} , mmap rw s 6 , close , wait , store 0 after! , munmap , wait`,
      );
      await writer.printed('waiting');
      await writer.proceed();
      await writer.printed('waiting', 2);
      await refused(imafs.system, file);
      await writer.proceed(2);
      await writer.succeeds();
    });

    imafs.test('the death of a writer', async () => {
      const { file } = await prepare(imafs, 'death', [imafs.system]);
      const writer = imafs.system.startXt(`open w ${file} , write after! , wait`);
      await writer.printed('waiting');
      writer.signal('SIGKILL');
      await writer.ended;
      await refused(imafs.system, file);
    });
  });

  describe(`passthrough=${passthrough}: a writer of another namespace voids the verdict at once`, () => {
    const imafs = useImafs({ policy: POLICY, options: { passthrough } });
    const writing = Object.entries({
      'write(2)': 'open w $F , write after! , wait',
      truncation: 'open w $F , ftruncate 3 , wait',
      'fallocate(2)': 'open rw $F , fallocate 3 0 3 , wait',
      'copy_file_range(2)': 'open r $S , open w $F , copyrange 0 6 , wait',
      'a store through a mapping': 'open rw $F , mmap rw s 6 , store 0 after! , wait',
      'a store after close(2)': 'open rw $F , mmap rw s 6 , close , store 0 after! , wait',
    });

    for (const [what, way] of writing) {
      imafs.test(what, async () => {
        const other = await imafs.activated(['dont_appraise']);
        const { file, operations } = await prepare(imafs, `at-once-${nameOf(what)}`, [
          imafs.system,
        ]);
        const writer = other.startXt(operations(way));
        await writer.printed('waiting');
        await refused(imafs.system, file);
        await writer.proceed();
        await writer.succeeds();
        await refused(imafs.system, file);
      });
    }

    imafs.test('a store that leaves no trace', async () => {
      const other = await imafs.activated(['dont_appraise']);
      const { file } = await prepare(imafs, 'traceless', [imafs.system]);
      // The first store makes the page dirty and moves ctime; those that follow move nothing.
      const writer = other.startXt(
        `open rw ${file} , mmap rw s 6 , close , store 0 before , wait , store 0 after! , wait , store 0 before , wait`,
      );
      await writer.printed('waiting');
      await sleep(20);
      assert.deepEqual(await imafs.system.xt(`open r ${file} , open r ${file}`), [
        'open=ok',
        'open=ok',
      ]);
      await writer.proceed();
      await writer.printed('waiting', 2);
      await refused(imafs.system, file);
      await writer.proceed(2);
      await writer.printed('waiting', 3);
      assert.deepEqual(await imafs.system.xt(`open r ${file}`), ['open=ok']);
      await writer.proceed(3);
      await writer.succeeds();
    });
  });
}

describe('behind the mount', () => {
  const imafs = useImafs({ policy: POLICY });
  /** Of WAYS, by the test process, which sees no mount. */
  const ways = [
    'write(2)',
    'an append',
    'truncation by path',
    'punching a hole',
    'copy_file_range(2)',
    'a store after close(2)',
    'rename(2) over it',
    'an exchange of names',
    'write(2), size and times restored',
  ];

  for (const what of ways) {
    imafs.test(`${what} voids the verdict`, async () => {
      const { file, name } = await prepare(imafs, `behind-${nameOf(what)}`, [imafs.system]);
      const operations = (WAYS[what] ?? '')
        .replaceAll('$F', imafs.behind(name))
        .replaceAll('$X', imafs.behind(`${name}.other`))
        .replaceAll('$S', imafs.behind(`${name}.source`));
      execFileSync(program('xt'), operations.split(' '));
      await refused(imafs.system, file);
    });
  }

  imafs.test('a file put back as it was is judged for what it is', async () => {
    const { file, name } = await prepare(imafs, 'put-back', [imafs.system]);
    const before = statSync(imafs.behind(name));
    renameSync(imafs.behind(name), imafs.behind(`${name}.away`));
    renameSync(imafs.behind(`${name}.other`), imafs.behind(name));
    utimesSync(imafs.behind(name), before.atime, before.mtime);
    await refused(imafs.system, file);
    renameSync(imafs.behind(`${name}.away`), imafs.behind(name));
    assert.deepEqual(await imafs.system.xt(`open r ${file} , read`), [
      'open=ok',
      'read=ok 6 before',
    ]);
  });
});
