/** List and PCR agree, whatever is killed, full or lost; and nothing is allowed without its entry. */
import assert from 'node:assert/strict';
import { appendFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Imafs, type ImafsRequest } from '../helpers/imafs.js';
import { IMAFS } from '../helpers/project.js';
import { SLOWNESS } from '../helpers/slowness.js';
import { TestSwtpm } from '../helpers/swtpm.js';

const POLICY = ['measure func=FILE_CHECK mask=MAY_READ fowner=1000'];

/** How often the daemon is killed under load; once before a release with 100. */
const KILLS = Number(process.env['IMAFS_TEST_KILLS'] ?? 10);

const swtpm = await TestSwtpm.start({ logged: true });

const restart = async (imafs: Imafs): Promise<void> => {
  await imafs.system.ok(['umount', '-l', imafs.mountpoint]);
  await imafs.startDaemon();
};

const lines = async (imafs: Imafs): Promise<string[]> =>
  (await imafs.system.ok(['cat', imafs.control('ascii_runtime_measurements')]))
    .slice(0, -1)
    .split('\n');

const agrees = async (imafs: Imafs): Promise<void> => {
  const { exit, stdout, stderr } = await imafs.system.run([
    ...[...IMAFS, 'log', 'verify'],
    imafs.mountpoint,
  ]);
  assert.equal(exit, 0, stdout + stderr);
  const text = await imafs.system.ok(['cat', imafs.control('pcrs_sha256')]);
  const value = /PCR-10: ([0-9A-F]+)/.exec(text)?.[1]?.toLowerCase();
  assert.equal(value, swtpm.pcr('sha256', 10));
};

const standing = async (imafs: Imafs): Promise<Record<string, unknown>> =>
  (await imafs.status())['measurements'] as Record<string, unknown>;

const becomes = async (imafs: Imafs, state: string): Promise<void> => {
  for (let tries = 0; tries < 400; tries++) {
    if ((await standing(imafs))['state'] === state) return;
    await sleep(25);
  }
  assert.fail(`it is ${JSON.stringify(await standing(imafs))}`);
};

const suite = (name: string, request: ImafsRequest, tests: (imafs: Imafs) => void): void => {
  describe(name, () => {
    const imafs = new Imafs({ policy: POLICY, ...request });
    beforeEach(async () => {
      // PCR 10 of a test before cannot be reset otherwise.
      await swtpm.kill();
      await swtpm.start();
      await imafs.start();
    });
    afterEach(() => imafs.stop());
    tests(imafs);
  });
};

const put = (imafs: Imafs, name: string): string =>
  imafs.put(name, `content of ${name}\n`, { label: 'none' });

suite('the daemon is killed', { options: { tpm: swtpm.tcti } }, (imafs) => {
  imafs.test(
    `under load, ${KILLS} times: list and PCR agree, and who was served is in the list`,
    async () => {
      let served = 0;
      for (let kill = 0; kill < KILLS; kill++) {
        const files = Array.from({ length: 60 }, (_, index) => put(imafs, `k${kill}-${index}`));
        const load = [0, 1, 2].map((part) =>
          imafs.system.start([
            'sh',
            '-c',
            files
              .filter((_, index) => index % 3 === part)
              .map((file) => `cat ${file} >/dev/null && echo ${file}`)
              .join('; '),
          ]),
        );
        await sleep(Math.random() * 120 * SLOWNESS);
        await imafs.daemon.crash();
        const outcomes = await Promise.all(load.map((running) => running.ended));
        await restart(imafs);
        const list = await lines(imafs);
        const names = new Set(list.map((line) => line.split(' ')[4]));
        for (const file of outcomes.flatMap(({ stdout }) => stdout.split('\n'))) {
          if (file === '') continue;
          served += 1;
          assert.ok(names.has(file), `${file} was served and is not listed`);
        }
        assert.ok(list.at(-1)?.includes(' imafs_restart '), 'the restart is recorded');
        await agrees(imafs);
      }
      assert.ok(served > KILLS, `the load was none: ${served}`);
    },
    { timeout: 600_000 },
  );

  imafs.test('in the middle of a record: what was cut short is not there', async () => {
    await imafs.system.ok(['cat', put(imafs, 'whole')]);
    const before = await lines(imafs);
    await imafs.daemon.crash();
    const journal = join(imafs.root, 'state/lists/system/journal');
    appendFileSync(journal, readFileSync(journal).subarray(0, 77));
    await restart(imafs);
    assert.deepEqual((await lines(imafs)).slice(0, -1), before);
    await agrees(imafs);
  });

  imafs.test('between journal and PCR: the restart extends the one entry', async () => {
    await imafs.system.ok(['cat', put(imafs, 'first')]);
    await imafs.daemon.crash();
    const journal = join(imafs.root, 'state/lists/system/journal');
    const records = readFileSync(journal);
    const length = records.readUInt32LE(0);
    // The boot_aggregate once more stands for an entry that was not extended yet.
    appendFileSync(journal, records.subarray(0, length));
    await restart(imafs);
    assert.equal((await lines(imafs)).length, 4);
    await agrees(imafs);
  });

  imafs.test(
    'and somebody else extends the PCR: the next start is refused, and says so',
    async () => {
      await imafs.daemon.crash();
      swtpm.tool('tpm2_pcrextend', `10:sha1=${'ab'.repeat(20)},sha256=${'cd'.repeat(32)}`);
      await assert.rejects(restart(imafs), /"exit":9.*something else extends it/);
    },
  );

  imafs.test('and the TPM is reset: the list is put aside and a new one begins', async () => {
    await imafs.system.ok(['cat', put(imafs, 'before')]);
    await imafs.daemon.crash();
    await swtpm.kill();
    await swtpm.start();
    await restart(imafs);
    const [first = '', ...more] = await lines(imafs);
    assert.deepEqual([first.endsWith(' boot_aggregate'), more], [true, []]);
    const kept = readdirSync(join(imafs.root, 'state/lists/system'));
    assert.equal(kept.filter((name) => name.startsWith('archive-')).length, 1);
    await agrees(imafs);
  });
});

suite('the TPM is lost', { options: { tpm: swtpm.tcti } }, (imafs) => {
  imafs.test('opens go on and are listed, as by the kernel; it is said, and ends', async () => {
    const file = put(imafs, 'before');
    await imafs.system.ok(['cat', file]);
    await swtpm.kill();
    await imafs.system.ok(['cat', put(imafs, 'meanwhile')]);
    await becomes(imafs, 'behind');
    const listed = await lines(imafs);
    assert.ok(listed.at(-1)?.endsWith('/meanwhile'), listed.join('\n'));
    const records = imafs.auditLines().filter((line) => line.includes('TPM_error('));
    assert.match(records[0] ?? '', /type=1804 .*op=add_template_measure .*res=1/);
    await swtpm.start();
    // Its PCRs began anew, and so does the list.
    await becomes(imafs, 'in step');
    assert.equal((await lines(imafs)).length, 1);
    await imafs.system.ok(['cat', file]);
    assert.ok((await lines(imafs)).at(-1)?.endsWith('/before'));
    await agrees(imafs);
  });
});

suite('the TPM is lost and required', {
  options: { tpm: swtpm.tcti, tpm_required: '' },
}, (imafs) => {
  imafs.test('what must be measured is refused until it is back', async () => {
    const before = put(imafs, 'before');
    const other = imafs.put('other', 'not measured\n', { owner: 0, label: 'none' });
    await imafs.system.ok(['cat', before]);
    await swtpm.kill();
    const during = put(imafs, 'during');
    for (let tries = 0; tries < 3; tries++) {
      assert.deepEqual(await imafs.system.xt(`open r ${during}`), ['open=EIO']);
    }
    assert.deepEqual(await imafs.system.xt(`open r ${other}`), ['open=ok']);
    const [denial] = (await imafs.system.ok(['cat', imafs.control('self/denials')])).split('\n');
    assert.match(denial ?? '', /"cause":"TPM_error\(\d+\)"/);
    await swtpm.start();
    await becomes(imafs, 'in step');
    assert.deepEqual(await imafs.system.xt(`open r ${during} , open r ${before}`), [
      'open=ok',
      'open=ok',
    ]);
    assert.equal((await lines(imafs)).length, 3);
    await agrees(imafs);
  });
});

suite('the disk is full', {
  options: { tpm: swtpm.tcti },
  prepare: 'mkdir $ROOT/state; mount -t tmpfs -o size=64k none $ROOT/state',
}, (imafs) => {
  imafs.test('what cannot be journalled is refused, and nothing is extended', async () => {
    await imafs.system.ok(['cat', put(imafs, 'before')]);
    await imafs.shell('dd if=/dev/zero of=$ROOT/state/filler bs=1k 2>/dev/null || true');
    const count = (await lines(imafs)).length;
    const refused: string[] = [];
    // What is left of the journal's last page takes some.
    for (let index = 0; index < 40; index++) {
      const file = put(imafs, `full-${index}`);
      if ((await imafs.system.xt(`open r ${file}`))[0] === 'open=EIO') refused.push(file);
    }
    assert.ok(refused.length > 5, `${refused.length} were refused`);
    assert.equal((await lines(imafs)).length, count + 40 - refused.length);
    await agrees(imafs);
    await imafs.shell('rm $ROOT/state/filler');
    for (const file of refused) await imafs.system.ok(['cat', file]);
    assert.equal((await lines(imafs)).length, count + 40);
    await agrees(imafs);
  });
});

describe('one TPM and PCR have one list', () => {
  const imafs = new Imafs({ policy: POLICY, options: { tpm: swtpm.tcti } });
  beforeEach(async () => {
    await swtpm.kill();
    await swtpm.start();
    await imafs.start();
  });
  afterEach(() => imafs.stop());

  const second = (option: string) =>
    imafs.shell(
      `mkdir -p $ROOT/b2 $ROOT/m2; ${IMAFS.join(' ')} mount -o system_ns=self,state=$ROOT/s2,${option} ` +
        '$ROOT/b2 $ROOT/m2 && cat $ROOT/m2/.ima/self/tpm && umount $ROOT/m2',
    );

  imafs.test('another mount with it is refused, on another PCR it is not', async () => {
    await assert.rejects(second(`tpm=${swtpm.tcti}`), /has a list already/);
    assert.equal(await second(`tpm=${swtpm.tcti},pcr=11`), `${swtpm.tcti}\n`);
    await assert.rejects(second('tpm=none,state=$ROOT/state'), /is another daemon's/);
  });

  imafs.test(
    'nor does a namespace get it; one of its own it does, before it measured',
    async () => {
      const container = await imafs.activated(['measure fowner=1000']);
      const tpm = `${container.id}/tpm`;
      const write = async (word: string) =>
        (await imafs.system.xt(`open w ${imafs.control(tpm)} , write ${word}`)).at(-1);
      assert.equal(await write(swtpm.tcti), 'write=EBUSY');
      assert.equal(await write('cmd:true'), 'write=EINVAL');
      assert.equal(await write('swtpm:path=/nowhere'), 'write=EIO');
      const own = await container.xt(`open w ${imafs.control(tpm)} , write swtpm`);
      assert.equal(own.at(-1), 'write=EPERM');
      assert.equal(await write('swtpm'), 'write=ok 5');
      const shown = await container.ok(['cat', imafs.control(tpm)]);
      assert.match(shown, /^swtpm:path=.*\/lists\/\d+\/tpm\/sock\n$|^swtpm:path=\/run\/imafs\//);
      await container.ok(['cat', put(imafs, 'measured')]);
      const verify = [...IMAFS, 'log', 'verify', imafs.mountpoint];
      await imafs.system.ok([...verify, '--ns', String(container.id)]);
      assert.equal(await write('none'), 'write=EBUSY');
      await container.ok(['cat', imafs.control('self/pcrs_sha1')]);
    },
  );
});

describe('a swtpm of its own', () => {
  const imafs = new Imafs({ policy: POLICY, options: { tpm: 'swtpm' } });
  beforeEach(() => imafs.start());
  afterEach(() => imafs.stop());

  imafs.test('an orderly restart goes on with the list, a killed daemon begins anew', async () => {
    await imafs.system.ok(['cat', put(imafs, 'one')]);
    await imafs.system.ok(['umount', imafs.mountpoint]);
    await imafs.daemon.ended();
    await imafs.startDaemon();
    assert.deepEqual(
      (await lines(imafs)).map((line) => line.split(' ')[4]),
      ['boot_aggregate', imafs.at('one'), 'imafs_restart'],
    );
    await imafs.system.ok([...IMAFS, 'log', 'verify', imafs.mountpoint]);
    await imafs.daemon.crash();
    await restart(imafs);
    assert.equal((await lines(imafs)).length, 1);
    await imafs.system.ok([...IMAFS, 'log', 'verify', imafs.mountpoint]);
  });
});
