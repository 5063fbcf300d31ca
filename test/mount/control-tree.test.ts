/** The control tree: names, loading as shells and loaders do it. Who may is in control-access. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { describe } from 'node:test';

import { PROTECTED, useImafs } from '../helpers/imafs.js';

describe('names', () => {
  const imafs = useImafs();

  imafs.test('.ima is hidden from listings, and there when it is named', async () => {
    imafs.put('beside', 'text\n');
    assert.equal(await imafs.system.ok(['ls', '-A', imafs.mountpoint]), 'beside\n');
    assert.equal(
      (await imafs.system.xt(`stat ${imafs.control('')}`))[0]?.slice(0, 18),
      'stat=ok mode=40777',
    );
  });

  imafs.test('the top has the names of the kernel', async () => {
    const names = (await imafs.system.ok(['ls', imafs.control('')])).split('\n');
    for (const name of [
      'policy',
      'violations',
      'runtime_measurements_count',
      'ascii_runtime_measurements',
      'binary_runtime_measurements',
      'ascii_runtime_measurements_sha256',
      'namespaces',
      'self',
    ]) {
      assert.ok(names.includes(name), name);
    }
  });

  imafs.test(
    'nothing can be created, renamed or linked onto .ima, and .ima cannot go',
    async () => {
      const target = `${imafs.mountpoint}/.ima`;
      const file = imafs.put('source', 'text\n');
      imafs.put('dir/inside', '');
      const attempts = [
        `rename ${file} ${target}`,
        `rename ${imafs.at('dir')} ${target}`,
        `rename ${target} ${imafs.at('away')}`,
        `rmdir ${target}`,
        `unlink ${target}`,
      ];
      for (const attempt of attempts) {
        assert.match((await imafs.system.xt(attempt))[0] ?? '', /=(EPERM|EISDIR|EXDEV)$/, attempt);
      }
      const created = await imafs.system.xt(
        `mkdir ${target} 755 , mknod ${target} f 644 , symlink x ${target} , link ${file} ${target}`,
      );
      for (const result of created) assert.match(result, /=(EPERM|EEXIST|EXDEV)$/);
      assert.match((await imafs.system.xt(`open wcx ${target}/new`))[0] ?? '', /=(EPERM|EACCES)$/);
    },
  );

  imafs.test('self leads every reader to its own directory', async () => {
    const container = await imafs.activated([]);
    const link = `readlink ${imafs.control('self')}`;
    assert.deepEqual(await imafs.system.xt(link), [`readlink=ok ${imafs.system.id}`]);
    assert.deepEqual(await container.xt(link), [`readlink=ok ${container.id}`]);
    assert.deepEqual(await imafs.system.xt(link), [`readlink=ok ${imafs.system.id}`]);
    const status = await imafs.status(container);
    assert.equal(status['namespace'], container.id);
  });

  imafs.test(
    'the list begins with boot_aggregate, and a descriptor can be read again',
    async () => {
      const list = imafs.control('ascii_runtime_measurements');
      const line = `10 0adefe762c149c7cec19da62f0da1297fcfbffff ima-ng sha256:${'0'.repeat(64)}`;
      const read = `read=ok 138 ${line} boot_aggregate`;
      assert.deepEqual(await imafs.system.xt(`open r ${list} , read , seek set 0 , read`), [
        'open=ok',
        read,
        'seek=ok 0',
        read,
      ]);
      assert.equal(
        await imafs.system.ok([
          'cat',
          imafs.control('runtime_measurements_count'),
          imafs.control('violations'),
        ]),
        '1\n0\n',
      );
    },
  );
});

describe('events', () => {
  const imafs = useImafs();

  imafs.test('a reader at the end polls, and is woken by the next event', async () => {
    const container = await imafs.activated(['appraise fowner=1']);
    const reader = imafs.system.startXt(
      `open r ${imafs.control(`${container.id}/events`)} , poll 0 , read , poll 0 , wait , poll 10000 , read`,
    );
    await reader.printed('waiting');
    assert.match(reader.stdout, /poll=ok in\nread=ok .*\npoll=ok nothing\n/);
    await reader.proceed();
    await container.ok(['sh', '-c', `echo log > ${imafs.control('mode')}`]);
    assert.match((await reader.succeeds()).stdout, /poll=ok in\nread=ok \d+ .*"event":"mode"/);
  });

  imafs.test('the end of the namespace ends the wait', async () => {
    const container = await imafs.activated([]);
    const reader = imafs.system.startXt(
      `open r ${imafs.control(`${container.id}/events`)} , read , wait , poll 10000`,
    );
    await reader.printed('waiting');
    await reader.proceed();
    await container.stop();
    assert.match((await reader.succeeds()).stdout, /poll=ok in hup\n/);
  });
});

describe('loading a policy', () => {
  const imafs = useImafs();
  const rules = (from: number, count: number): string[] =>
    Array.from({ length: count }, (_, index) => `appraise fowner=${from + index} uid=${index % 7}`);

  async function loaded(id: number): Promise<string[]> {
    const text = await imafs.system.ok(['cat', imafs.control(`${id}/policy`)]);
    return text.split('\n').slice(0, -1);
  }

  async function fresh(): Promise<{ id: number; policy: string }> {
    const { id } = await imafs.activated([]);
    return { id, policy: imafs.control(`${id}/policy`) };
  }

  for (const shell of ['dash', 'bash']) {
    imafs.test(
      `${shell}: echo RULE > policy, and with two commands on one redirection`,
      async () => {
        const { id, policy } = await fresh();
        await imafs.system.ok([shell, '-c', `echo 'appraise fowner=1' > ${policy}`]);
        await imafs.system.ok([
          shell,
          '-c',
          `{ echo 'appraise fowner=2'; echo 'appraise fowner=3'; } > ${policy}`,
        ]);
        await imafs.system.ok([
          shell,
          '-c',
          `{ /bin/echo 'appraise fowner=4'; /bin/echo 'appraise fowner=5'; } > ${policy}`,
        ]);
        assert.deepEqual(
          await loaded(id),
          [1, 2, 3, 4, 5].map((owner) => `appraise fowner=${owner} `),
        );
      },
    );

    imafs.test(`${shell}: two children that share one descriptor`, async () => {
      const { id, policy } = await fresh();
      const script = `exec 3> ${policy}; (echo 'appraise fowner=1' >&3) & wait; (echo 'appraise fowner=2' >&3) & wait; exec 3>&-`;
      await imafs.system.ok([shell, '-c', script]);
      assert.deepEqual(await loaded(id), ['appraise fowner=1 ', 'appraise fowner=2 ']);
    });
  }

  imafs.test('echo "" > policy succeeds and changes nothing', async () => {
    const { id, policy } = await fresh();
    await imafs.system.ok([
      'sh',
      '-c',
      `echo 'appraise fowner=1' > ${policy}; echo "" > ${policy}`,
    ]);
    assert.deepEqual(await loaded(id), ['appraise fowner=1 ']);
  });

  imafs.test(
    'one write takes its first line and returns its length, the last one may lack its newline',
    async () => {
      const { id, policy } = await fresh();
      const lines = `${imafs.root}/two-lines`;
      writeFileSync(lines, 'appraise fowner=1\nappraise fowner=2');
      await imafs.system.ok(['sh', '-c', `cat ${lines} > ${policy}`]);
      assert.deepEqual(await loaded(id), ['appraise fowner=1 ', 'appraise fowner=2 ']);
    },
  );

  imafs.test('cat of a 40 KB policy loads every rule', async () => {
    const file = `${imafs.root}/large-policy`;
    const lines = rules(100_000, 1000).map((rule) => `${rule} gid=${'1'.padStart(9, '0')}`);
    writeFileSync(file, lines.map((rule) => `${rule}\n`).join(''));
    const { id, policy } = await fresh();
    await imafs.system.ok(['sh', '-c', `cat ${file} > ${policy}`]);
    assert.equal((await loaded(id)).length, 1000);
  });

  imafs.test('a path loads that file, as the writer sees it', async () => {
    const { id, policy } = await fresh();
    const file = `${imafs.root}/by-path`;
    writeFileSync(file, 'appraise fowner=1\nappraise fowner=2\n');
    await imafs.system.ok(['sh', '-c', `echo ${file} > ${policy}`]);
    assert.equal((await loaded(id)).length, 2);
    const results = await imafs.system.xt(`open w ${policy} , write ${imafs.root}/nowhere`);
    assert.deepEqual(results, ['open=ok', 'write=ENOENT']);
  });

  imafs.test(
    'a bad rule fails its write with EINVAL, and all rules of that open are dropped',
    async () => {
      const { id, policy } = await fresh();
      const results = await imafs.system.xt(
        `open w ${policy} , write appraise%20fowner=1 , write appraise%20fnord=2 , write appraise%20fowner=3 , close`,
      );
      assert.deepEqual(results, [
        'open=ok',
        'write=ok 17',
        'write=EINVAL',
        'write=ok 17',
        'close=ok',
      ]);
      assert.deepEqual(await loaded(id), []);
      const failed = await imafs.status(imafs.system, String(id));
      const { line, column, message } = failed['lastPolicyFailure'] as {
        line: number;
        column: number;
        message: string;
      };
      assert.deepEqual([line, column], [2, 10]);
      assert.match(message, /fnord/);
      await imafs.system.ok(['sh', '-c', `echo 'appraise fowner=9' > ${policy}`]);
      assert.deepEqual(await loaded(id), ['appraise fowner=9 ']);
    },
  );

  imafs.test('nor does what an earlier child of that open loaded stay', async () => {
    const { id, policy } = await fresh();
    const script = `{ /bin/echo 'appraise fowner=1'; /bin/echo nonsense; } > ${policy}`;
    assert.notEqual((await imafs.system.run(['sh', '-c', script])).exit, 0);
    assert.deepEqual(await loaded(id), []);
  });

  imafs.test(
    'what was never flushed is dropped: a writer killed in the middle loads nothing',
    async () => {
      const { id, policy } = await fresh();
      const writer = imafs.system.startXt(
        `open w ${policy} , write appraise%20fowner=1 , close , open w ${policy} , write nonsense , wait`,
      );
      await writer.printed('waiting');
      await writer.kill();
      assert.deepEqual(await loaded(id), ['appraise fowner=1 ']);
    },
  );

  imafs.test('of two loaders of one namespace at once one is EBUSY', async () => {
    const { policy } = await fresh();
    const holder = imafs.system.startXt(`open w ${policy} , wait`);
    await holder.printed('waiting');
    assert.deepEqual(await imafs.system.xt(`open w ${policy}`), ['open=EBUSY']);
    await holder.proceed();
    await holder.succeeds();
  });

  imafs.test('a loaded rule counts at the next open', async () => {
    const file = imafs.put('judged', 'text\n', { label: 'none' });
    const container = await imafs.activated([]);
    assert.deepEqual(await container.xt(`open r ${file} , open r ${file}`), ['open=ok', 'open=ok']);
    await container.ok([
      'sh',
      '-c',
      `echo 'appraise fowner=${PROTECTED}' > ${imafs.control('policy')}`,
    ]);
    assert.deepEqual(await container.xt(`open r ${file}`), ['open=EACCES']);
  });
});
