/** The same reads, writes, maps and executions whatever the kernel serves by itself. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe } from 'node:test';

import { causesOf } from '../helpers/audit-lines.js';
import { PROTECTED, useImafs } from '../helpers/imafs.js';
import { labelFor } from '../helpers/label.js';
import { program } from '../helpers/programs.js';

const LARGE = Buffer.alloc(3 * 1024 * 1024 + 17, 'abcdefg\n');

for (const passthrough of ['off', 'ro', 'rw']) {
  for (const backing of ['ext4', 'tmpfs'] as const) {
    describe(`passthrough=${passthrough} over ${backing}`, () => {
      const imafs = useImafs({
        policy: [`appraise fowner=${PROTECTED}`],
        options: { passthrough },
        backing,
      });
      const content = (name: string): string => readFileSync(imafs.behind(name), 'latin1');

      imafs.test('reads at any offset', async () => {
        const file = imafs.put('read', 'one\ntwo\n');
        const results = await imafs.system.xt(
          `open r ${file} , read 4 , read , read , pread 4 3 , seek end 0`,
        );
        assert.deepEqual(results, [
          'open=ok',
          'read=ok 4 one',
          'read=ok 4 two',
          'read=ok 0',
          'pread=ok 3 two',
          'seek=ok 8',
        ]);
      });

      imafs.test('a large file arrives whole', async () => {
        const file = imafs.put('large', LARGE);
        const sum = await imafs.system.ok(['sh', '-c', `sha256sum < ${file}`]);
        assert.equal(sum.slice(0, 64), labelFor(LARGE).slice(4));
      });

      imafs.test('writes, appends, truncation and holes', async () => {
        const file = imafs.put('write', 'start');
        await imafs.system.xt(
          `open w ${file} , pwrite 0 S , close , open wa ${file} , pwrite 0 end , close`,
        );
        assert.equal(content('write'), 'Startend');
        await imafs.system.xt(`open wt ${file} , pwrite 3 x , ftruncate 5 , close`);
        assert.equal(content('write'), '\0\0\0x\0');
        const label = await imafs.system.xt(`getx ${file} security.ima`);
        assert.deepEqual(label, [`getx=ok ${labelFor('\0\0\0x\0')}`]);
      });

      imafs.test('two appenders never overwrite each other', async () => {
        const file = imafs.put('appenders', '');
        // Of a file that was changed a moment ago nobody knows whether the first writer has changed it.
        await imafs.system.ok(['sleep', '0.05']);
        const many = (letter: string): string =>
          Array.from({ length: 100 }, () => `write ${letter.repeat(10)}`).join(' , ');
        const results = await Promise.all(
          ['a', 'b'].map((letter) => imafs.system.xt(`open wa ${file} , ${many(letter)} , close`)),
        );
        const failed = results.flat().filter((line) => !line.includes('=ok'));
        assert.deepEqual([failed.slice(0, 2), imafs.auditLines()], [[], []]);
        assert.match(content('appenders'), /^(a{10}|b{10}){200}$/);
      });

      imafs.test('a private mapping sees the file and keeps its stores', async () => {
        const file = imafs.put('private', 'text');
        const results = await imafs.system.xt(
          `open r ${file} , mmap rw p 4096 , load 0 4 , store 0 TEXT , load 0 4 , munmap`,
        );
        assert.deepEqual(results.slice(2), [
          'load=ok 4 text',
          'store=ok',
          'load=ok 4 TEXT',
          'munmap=ok',
        ]);
        assert.equal(content('private'), 'text');
      });

      imafs.test('a shared mapping and write(2) see each other', async () => {
        const file = imafs.put('shared', 'text');
        const results = await imafs.system.xt(
          `open rw ${file} , mmap rw s 4096 , store 0 T , pread 0 4 , pwrite 1 E , load 0 4 , msync , munmap , close`,
        );
        assert.deepEqual(results.slice(3), [
          'pread=ok 4 Text',
          'pwrite=ok 1',
          'load=ok 4 TExt',
          'msync=ok',
          'munmap=ok',
          'close=ok',
        ]);
        assert.equal(content('shared'), 'TExt');
      });

      imafs.test(
        'readers, writers, mappings and executions of one inode at once never fail with EIO',
        async () => {
          const file = imafs.putProgram('mixed', program('exit-good'));
          const busy = [
            Array.from(
              { length: 60 },
              () => `open r ${file} , read 64 , mmap r s 64 , load 0 4 , munmap , close`,
            ),
            Array.from({ length: 60 }, () => `open rw ${file} , read 64 , close`),
            Array.from({ length: 60 }, () => `open wa ${file} , close`),
            Array.from(
              { length: 30 },
              () => `open r ${file} , mmap rx p 64 , load 0 4 , munmap , close`,
            ),
          ].map((parts) => parts.join(' , '));
          // A reader that never closes pins whatever mode came first.
          for (const first of ['r', 'rw']) {
            const holder = imafs.system.startXt(`open ${first} ${file} , wait`);
            await holder.printed('waiting');
            const results = (
              await Promise.all(busy.map((operations) => imafs.system.xt(operations)))
            ).flat();
            assert.deepEqual(
              results.filter((line) => !line.includes('=ok')),
              [],
              first,
            );
            await holder.proceed();
            await holder.succeeds();
          }
          assert.deepEqual(await imafs.system.xt(`run ${file}`), ['run=ok exit 0']);
        },
      );

      imafs.test(
        'a program that is open for writing is not executed, one that runs is not opened for writing',
        async () => {
          const file = imafs.putProgram('busy', program('exit-good'));
          assert.deepEqual(
            (await imafs.system.xt(`open rw ${file} , run ${file}`))[1],
            'run=ETXTBSY',
          );
          assert.deepEqual(await imafs.system.xt(`run ${file}`), ['run=ok exit 0']);
        },
      );

      imafs.test('O_DIRECT, O_SYNC and fsync work', async () => {
        const file = imafs.put('direct', 'x'.repeat(8192), { owner: 0 });
        const results = await imafs.system.xt(
          `open rd ${file} , dread , close , open ws ${file} , write y , fsync , close`,
        );
        assert.match(results[1] ?? '', /^dread=ok 4096 x+$/);
        assert.deepEqual(results.slice(2), [
          'close=ok',
          'open=ok',
          'write=ok 1',
          'fsync=ok',
          'close=ok',
        ]);
      });

      // A write by root takes them off too: what writes for callers has no CAP_FSETID.
      imafs.test('an unprivileged write takes the set-id bits off', async () => {
        const file = imafs.put('set-id', 'text', { mode: 0o6777 });
        await imafs.system.xt(`open w ${file} , write b , close`, { uid: 1001 });
        assert.match((await imafs.system.xt(`stat ${file}`))[0] ?? '', /mode=100777/);
      });

      imafs.test('O_DIRECT is refused where a rule appraises, unless it permits it', async () => {
        const file = imafs.put('appraised-direct', 'x'.repeat(8192));
        assert.deepEqual(await imafs.system.xt(`open rd ${file}`), ['open=EACCES']);
        const causes = causesOf(imafs.auditLines(), 'appraised-direct');
        assert.deepEqual(causes, ['failed(directio)']);
      });

      imafs.test('size and times seen by stat follow the writes at once', async () => {
        const file = imafs.put('stat', 'text');
        const results = await imafs.system.xt(
          `stat ${file} , open wa ${file} , write more , stat ${file} , fstat , close , stat ${file}`,
        );
        const sizes = results
          .filter((line) => line.includes('size'))
          .map((line) => /size=(\d+)/.exec(line)?.[1]);
        assert.deepEqual(sizes, ['4', '8', '8', '8']);
      });
    });
  }
}
