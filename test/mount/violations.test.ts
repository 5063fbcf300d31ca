/**
 * ToMToU and open_writers by Linux 6.15's rules: one for each period of readers or writers, counted
 * right at once although RELEASE comes later, and across namespaces.
 */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { type Imafs, useImafs } from '../helpers/imafs.js';
import type { Namespace } from '../helpers/namespace.js';

const READ = 'measure func=FILE_CHECK mask=^MAY_READ fowner=1000';

/** Violations of a namespace's list since the last call. */
const counter = (imafs: Imafs, where = '') => {
  let before = 0;
  return async (): Promise<number> => {
    const text = await imafs.system.ok(['cat', imafs.control(`${where}violations`)]);
    const risen = Number(text) - before;
    before = Number(text);
    return risen;
  };
};

/** Holds a file open until it is told to go on. */
const holding = async (namespace: Namespace, operations: string) => {
  const holder = namespace.startXt(`${operations} , wait`);
  await holder.printed('waiting');
  return {
    async release(): Promise<void> {
      await holder.proceed();
      await holder.succeeds();
    },
  };
};

for (const [passthrough, backing] of [
  ['rw', 'ext4'],
  ['ro', 'ext4'],
  ['off', 'ext4'],
  ['rw', 'tmpfs'],
] as const) {
  describe(`passthrough=${passthrough} on ${backing}`, () => {
    const imafs = useImafs({ policy: [READ], options: { passthrough }, backing });
    const violations = counter(imafs);
    const read = (file: string) => imafs.system.xt(`open r ${file} , read , close`);
    const put = (name: string) => imafs.put(name, 'content\n', { label: 'none' });

    imafs.test('open_writers once for each period of writers', async () => {
      const file = put('ow');
      await violations();
      for (let period = 1; period <= 3; period++) {
        const writer = await holding(imafs.system, `open wa ${file} , write x`);
        await read(file);
        await read(file);
        assert.equal(await violations(), 1, `period ${period}`);
        await writer.release();
      }
      await read(file);
      assert.equal(await violations(), 0);
    });

    imafs.test('a writer who closes and one who opens at once make two periods', async () => {
      const file = put('ow-at-once');
      await violations();
      await imafs.system.xt(
        `open wa ${file} , open r ${file} , close , use 0 , close , ` +
          `open wa ${file} , open r ${file} , close , use 2 , close`,
      );
      assert.equal(await violations(), 2);
    });

    imafs.test('a writer who has closed is none, read at once', async () => {
      const file = put('closed');
      await violations();
      for (let round = 0; round < 20; round++) {
        await imafs.system.xt(`open wa ${file} , write x , close , open r ${file} , close`);
      }
      assert.equal(await violations(), 0);
    });

    imafs.test('ToMToU once for each period of readers', async () => {
      const file = put('tom');
      await violations();
      for (let period = 1; period <= 2; period++) {
        const reader = await holding(imafs.system, `open r ${file}`);
        await imafs.system.xt(`open w ${file} , close , open wa ${file} , close`);
        assert.equal(await violations(), 1, `period ${period}`);
        await reader.release();
      }
    });

    imafs.test('a reader who has closed is none, written at once', async () => {
      const file = put('read-closed');
      await violations();
      for (let round = 0; round < 20; round++) {
        await imafs.system.xt(`open r ${file} , read , close , open wa ${file} , close`);
      }
      assert.equal(await violations(), 0);
    });

    imafs.test('readers who are served without being asked about count', async () => {
      const file = put('warm');
      for (let round = 0; round < 5; round++) await read(file);
      await violations();
      const reader = await holding(imafs.system, `open r ${file}`);
      await imafs.system.xt(`open wa ${file} , write x , close`);
      assert.equal(await violations(), 1);
      await reader.release();
    });

    imafs.test('one open for reading and writing is no violation', async () => {
      const file = put('rdwr');
      await violations();
      await imafs.system.xt(`open rw ${file} , read , close`);
      assert.equal(await violations(), 0);
    });

    imafs.test('a writable mapping is a writer after its descriptor is closed', async () => {
      const file = put('mapped');
      await violations();
      const writer = await holding(imafs.system, `open rw ${file} , mmap rw s 4096 , close`);
      await read(file);
      assert.equal(await violations(), 1);
      await writer.release();
      await read(file);
      assert.equal(await violations(), 0);
    });
  });
}

describe('across namespaces', () => {
  const imafs = useImafs();
  const put = (name: string) => imafs.put(name, 'content\n', { label: 'none' });

  imafs.test("a writer whom no policy judges is in the reader's list", async () => {
    const file = put('ow');
    const container = await imafs.activated([READ]);
    const violations = counter(imafs, `${container.id}/`);
    const writer = await holding(imafs.system, `open wa ${file} , write x`);
    await container.xt(`open r ${file}`);
    assert.equal(await violations(), 1);
    await writer.release();
    const reader = await holding(container, `open r ${file}`);
    await imafs.system.xt(`open w ${file} , close`);
    assert.equal(await violations(), 1);
    await reader.release();
    const causes = imafs
      .auditLines()
      .filter((line) => line.includes('type=1804') && line.includes('/ow"'))
      .map((line) => /cause=(\w+)/.exec(line)?.[1]);
    assert.deepEqual(causes, ['open_writers', 'ToMToU']);
  });

  imafs.test('two containers: each list has its own violation, once', async () => {
    const file = put('shared');
    const [one, two] = [await imafs.activated([READ]), await imafs.activated([READ])];
    const ofOne = counter(imafs, `${one.id}/`);
    const ofTwo = counter(imafs, `${two.id}/`);
    const readers = [await holding(one, `open r ${file}`), await holding(two, `open r ${file}`)];
    await two.xt(`open w ${file} , close , open w ${file} , close`);
    assert.deepEqual([await ofOne(), await ofTwo()], [1, 1]);
    await Promise.all(readers.map((reader) => reader.release()));
    const writer = await holding(one, `open wa ${file}`);
    await Promise.all([one.xt(`open r ${file}`), two.xt(`open r ${file}`)]);
    assert.deepEqual([await ofOne(), await ofTwo()], [1, 1]);
    await writer.release();
  });
});
