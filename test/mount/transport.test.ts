/** Rules of the transport that only show under load or in odd places. */
import assert from 'node:assert/strict';
import { mkdirSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { describe } from 'node:test';

import { PROTECTED, useImafs } from '../helpers/imafs.js';
import { labelFor } from '../helpers/label.js';
import { SLOWNESS } from '../helpers/slowness.js';

const MANY = 3000;
const LARGE = 1024 * 1024 * 1024;
const FLOOD = 200;
const FLOOD_BYTES = 10 * 1024 * 1024;

describe('a daemon with 1,024 descriptors', () => {
  const imafs = useImafs({
    policy: [`appraise fowner=${PROTECTED}`],
    wrapper: ['prlimit', '--nofile=1024:1024'],
  });

  imafs.test(`knows ${MANY} files, and all of them can be opened`, async () => {
    mkdirSync(imafs.behind('many'));
    for (let index = 0; index < MANY; index++)
      writeFileSync(imafs.behind(`many/${index}`), `${index}\n`);
    const script = `cd ${imafs.at('many')} && ls -l | wc -l && cat * | sort -n | tail -1 && cat * | wc -l`;
    assert.equal(
      await imafs.system.ok(['sh', '-c', script]),
      `${MANY + 1}\n${MANY - 1}\n${MANY}\n`,
    );
  });

  imafs.test('serves more open files than it may have descriptors', async () => {
    const script = `cd ${imafs.at('many')} && ulimit -n 4096 && for i in $(seq 10 1400); do eval "exec $i< $i"; done; read x <&1400; echo $x`;
    assert.equal(await imafs.system.ok(['bash', '-c', script]), '1400\n');
  });
});

describe('while one namespace keeps the daemon busy', () => {
  const imafs = useImafs();

  /** All holes, so quickly made; its label is wrong, which only hashing shows. */
  function putLarge(): void {
    imafs.put('large', '', { label: labelFor('other') });
    truncateSync(imafs.behind('large'), LARGE);
  }

  imafs.test('the opens of another are answered', async () => {
    putLarge();
    const file = imafs.put('small', 'text\n');
    const rule = [`appraise fowner=${PROTECTED}`];
    const [busy, other] = [await imafs.activated(rule), await imafs.activated(rule)];
    const hashing = busy.startXt(`open r ${imafs.at('large')}`);
    await hashing.pid;
    const start = performance.now();
    assert.deepEqual(await other.xt(`open r ${file}`), ['open=ok']);
    const elapsed = performance.now() - start;
    assert.doesNotMatch(hashing.stdout, /open/, 'the large file was hashed too soon for this test');
    assert.match((await hashing.ended).stdout, /open=EACCES/);
    assert.ok(elapsed < 1000 * SLOWNESS, `${elapsed} ms`);
  });

  imafs.test('so are they while one floods the daemon with opens of cold files', async () => {
    const rule = [`appraise fowner=${PROTECTED}`];
    const [flooding, other] = [await imafs.activated(rule), await imafs.activated(rule)];
    for (let index = 0; index < FLOOD; index++) {
      imafs.put(`flood/${index}`, '', { label: labelFor('other') });
      truncateSync(imafs.behind(`flood/${index}`), FLOOD_BYTES);
    }
    const script = `cd ${imafs.at('flood')}; ls | xargs -P ${FLOOD} -n 1 head -c 1 2>/dev/null; echo done`;
    const flood = flooding.start(['sh', '-c', script]);
    await judgedAtLeast(20, flooding.id);
    let rounds = 0;
    for (; !flood.stdout.includes('done'); rounds++) {
      const file = imafs.put(`cold-${rounds}`, 'text\n');
      const start = performance.now();
      assert.deepEqual(
        await other.xt(`stat ${file} , open r ${file}`).then((it) => it[1]),
        'open=ok',
      );
      const elapsed = performance.now() - start;
      assert.ok(elapsed < 1000 * SLOWNESS, `${elapsed} ms in round ${rounds}`);
    }
    assert.ok(rounds > 3, `only ${rounds} opens beside the flood: this test proved nothing`);
    await flood.ended;
  });

  async function judgedAtLeast(count: number, id: number): Promise<void> {
    for (let tries = 0; ; tries++) {
      const { counters } = await imafs.status(imafs.system, String(id));
      if ((counters as { opens: number }).opens >= count) return;
      assert.ok(tries < 100, 'the flood does not come');
    }
  }

  imafs.test('a caller that is killed while it waits leaves nothing behind', async () => {
    const container = await imafs.activated([`appraise fowner=${PROTECTED}`]);
    const hashing = container.startXt(`open r ${imafs.at('large')}`);
    await hashing.pid;
    await hashing.kill();
    assert.deepEqual(await container.xt(`open r ${imafs.at('small')}`), ['open=ok']);
  });
});

describe('mounts inside the tree', () => {
  const imafs = useImafs();

  imafs.test(
    'stay when others look up the name, when its file changes, and when memory is short',
    async () => {
      const file = imafs.put('covered', 'below\n');
      imafs.put('dir/file', 'below\n');
      const container = await imafs.container();
      const [over, overDir] = [`${imafs.root}/over`, `${imafs.root}/over-dir`];
      await container.ok([
        'sh',
        '-c',
        `echo above > ${over}; mkdir ${overDir}; echo above > ${overDir}/file`,
      ]);
      await container.ok(['mount', '--bind', over, file]);
      await container.ok(['mount', '--bind', overDir, imafs.at('dir')]);
      assert.equal(await imafs.system.ok(['cat', file, imafs.at('dir/file')]), 'below\nbelow\n');
      writeFileSync(imafs.behind('covered'), 'changed\n');
      await imafs.system.ok([
        'sh',
        '-c',
        `cat ${file}; echo 2 > /proc/sys/vm/drop_caches; cat ${file}; ls -lR ${imafs.mountpoint}`,
      ]);
      assert.equal(await container.ok(['cat', file, imafs.at('dir/file')]), 'above\nabove\n');
    },
  );
});

describe('names that move behind the mount', () => {
  const imafs = useImafs();

  imafs.test('a thread that holds a stale name gets the new file, never ESTALE', async () => {
    const file = imafs.put('name', 'old\n', { label: 'none' });
    for (let round = 0; round < 20; round++) {
      await imafs.system.xt(`open r ${file}`);
      imafs.put('name.new', `round ${round}\n`, { label: 'none' });
      renameSync(imafs.behind('name.new'), imafs.behind('name'));
      assert.deepEqual(await imafs.system.xt(`open r ${file} , read`), [
        'open=ok',
        `read=ok ${round < 10 ? 8 : 9} round ${round}`,
      ]);
    }
  });

  imafs.test('the working directory and its files can be renamed away', async () => {
    imafs.put('here/file', 'text\n');
    const reader = imafs.system.startXt(
      `chdir ${imafs.at('here')} , wait , open r file , read , list .`,
    );
    await reader.printed('waiting');
    renameSync(imafs.behind('here'), imafs.behind('there'));
    await reader.proceed();
    assert.match((await reader.ended).stdout, /open=ok\nread=ok 5 text\nlist=ok 3/);
  });
});
