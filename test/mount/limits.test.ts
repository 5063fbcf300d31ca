/** Reaching a limit hurts only who reaches it, and nobody can make the daemon wait or fill up. */
import assert from 'node:assert/strict';
import { statfsSync, writeFileSync } from 'node:fs';
import { describe } from 'node:test';

import { PROTECTED, useImafs } from '../helpers/imafs.js';
import type { Running } from '../helpers/running.js';
import { SLOWNESS } from '../helpers/slowness.js';

const SELF_ACTIVATIONS = 64;
const RULES = 1024;
const DENIALS = 256;

describe('limits of a namespace', () => {
  const imafs = useImafs();

  imafs.test(
    `of one uid ${SELF_ACTIVATIONS} namespaces may activate themselves, the system may go on`,
    async () => {
      const activate = `unshare m , open w ${imafs.control('active')} , write 1 , wait`;
      const running: Running[] = [];
      for (let count = 0; count < SELF_ACTIVATIONS; count++) {
        running.push(imafs.system.startXt(activate));
        await running[count]?.printed('write=ok 1');
      }
      const [, , refused] = await imafs.system.xt(activate);
      assert.equal(refused, 'write=EDQUOT');
      const listed = await imafs.system.ok(['cat', imafs.control('namespaces')]);
      const other = listed.split('\n').find((id) => id !== '' && Number(id) !== imafs.system.id);
      const { limits } = await imafs.status(imafs.system, other);
      assert.deepEqual((limits as Record<string, unknown>)['selfActivations'], {
        used: SELF_ACTIVATIONS,
        limit: SELF_ACTIVATIONS,
      });
      await imafs.activated([`appraise fowner=${PROTECTED}`]);
      for (const one of running) await one.kill();
    },
  );

  imafs.test(
    `a policy holds ${RULES} rules, and what is too much is dropped as a whole`,
    async () => {
      const rules = (count: number): string[] =>
        Array.from({ length: count }, (_, index) => `appraise fowner=${index}`);
      const { id } = await imafs.activated(rules(RULES - 1));
      await assert.rejects(imafs.writePolicy(String(id), rules(2)));
      const text = await imafs.system.ok(['cat', imafs.control(`${id}/policy`)]);
      assert.equal(text.split('\n').length - 1, RULES - 1);
      await imafs.writePolicy(String(id), rules(1));
    },
  );

  imafs.test(`denials keeps the last ${DENIALS}, as JSON lines`, async () => {
    const container = await imafs.activated([`appraise fowner=${PROTECTED}`]);
    const file = imafs.put('denied', 'text\n', { label: 'none' });
    const opens = Array.from({ length: DENIALS + 10 }, () => `open r ${file}`).join(' , ');
    await container.xt(opens);
    const lines = (await container.ok(['cat', imafs.control('self/denials')]))
      .split('\n')
      .slice(0, -1);
    assert.equal(lines.length, DENIALS);
    const last = JSON.parse(lines.at(-1) ?? '') as Record<string, unknown>;
    assert.deepEqual(
      [last['path'], last['cause'], last['errno']],
      [file, 'missing-hash', 'EACCES'],
    );
  });
});

describe('a policy named by path', () => {
  const imafs = useImafs();
  const load = async (path: string): Promise<string[]> =>
    imafs.system.xt(`open! w ${imafs.control('policy')} , write ${path} , close`);

  imafs.test('below the mount itself is read behind it', async () => {
    imafs.put('policy-file', 'appraise fowner=4242\n', { label: 'none' });
    assert.deepEqual((await load(imafs.at('policy-file')))[1]?.slice(0, 8), 'write=ok');
    assert.match(await imafs.system.ok(['cat', imafs.control('policy')]), /fowner=4242/);
  });

  imafs.test("is the one that the writer's namespace has there", async () => {
    const container = await imafs.activated([]);
    const [path, other] = [`${imafs.root}/rules`, `${imafs.root}/other-rules`];
    writeFileSync(path, 'appraise fowner=1\n');
    writeFileSync(other, 'appraise fowner=2\n');
    await container.ok(['mount', '--bind', other, path]);
    await container.ok(['sh', '-c', `echo ${path} > ${imafs.control('self/policy')}`]);
    assert.equal(await container.ok(['cat', imafs.control('policy')]), 'appraise fowner=2 \n');
  });

  imafs.test(
    'that is a fifo, a directory, too large or not to be read fails, and holds up nobody',
    async () => {
      await imafs.system.ok(['mkfifo', `${imafs.root}/fifo`]);
      writeFileSync(`${imafs.root}/large`, '#'.repeat(2 * 1024 * 1024));
      for (const path of [
        `${imafs.root}/fifo`,
        imafs.root,
        `${imafs.root}/large`,
        '/proc/self/mem',
      ]) {
        const start = performance.now();
        const [, written] = await load(path);
        assert.match(written ?? '', /^write=E/, path);
        assert.ok(performance.now() - start < 10_000 * SLOWNESS, path);
      }
    },
  );

  imafs.test('is opened with the rights of the writer', async () => {
    const container = await imafs.container({ userRoot: 100_000 });
    await container.ok(['sh', '-c', `echo 1 > ${imafs.control('active')}`]);
    writeFileSync(`${imafs.root}/private`, 'appraise fowner=1\n', { mode: 0o600 });
    const results = await container.xt(
      `open w ${imafs.control('self/policy')} , write ${imafs.root}/private`,
    );
    assert.deepEqual(results, ['open=ok', 'write=EACCES']);
  });
});

describe('files that are removed', () => {
  const imafs = useImafs({ backing: 'tmpfs' });
  const SIZE = 256 * 1024 * 1024;

  imafs.test('give their space back', async () => {
    const file = imafs.put('large', Buffer.alloc(SIZE), { label: 'none' });
    const free = (): number => statfsSync(imafs.backing).bfree * statfsSync(imafs.backing).bsize;
    const before = free();
    await imafs.system.xt(`open r ${file} , read 10 , close , unlink ${file}`);
    for (let tries = 0; free() - before < SIZE / 2; tries++) {
      assert.ok(tries < 50, 'the removed file still takes its space');
      await imafs.system.ok(['sh', '-c', 'echo 2 > /proc/sys/vm/drop_caches; sleep 0.2']);
    }
  });
});
