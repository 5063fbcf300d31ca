/** Measuring with a real TPM in software: the list, the PCR and the tools of others agree. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'node:test';
import { type Imafs, useImafs } from '../helpers/imafs.js';
import { TestSwtpm } from '../helpers/swtpm.js';

const PCR_EXTEND = 0x182;
const READ = 'measure func=FILE_CHECK mask=MAY_READ fowner=1000';

const swtpm = await TestSwtpm.start({ logged: true });
const used = await TestSwtpm.start({ over: 'tcp' });

/** Lists and PCRs as files that evmctl takes. */
const filesOf = async (imafs: Imafs): Promise<{ list: string; pcrs: string[] }> => {
  const copy = async (name: string): Promise<string> => {
    const file = join(imafs.root, name);
    const text = await imafs.system.ok(['cat', imafs.control(name)]);
    writeFileSync(file, text, 'latin1');
    return file;
  };
  const list = await copy('binary_runtime_measurements');
  const pcrs = [`sha1,${await copy('pcrs_sha1')}`, `sha256,${await copy('pcrs_sha256')}`];
  return { list, pcrs: pcrs.flatMap((file) => ['--pcrs', file]) };
};

describe('a swtpm over a unix socket', () => {
  const imafs = useImafs({ policy: [READ], options: { tpm: swtpm.tcti } });

  const linesOf = async (): Promise<string[]> =>
    (await imafs.system.ok(['cat', imafs.control('ascii_runtime_measurements')]))
      .slice(0, -1)
      .split('\n');

  imafs.test(
    'evmctl accepts the list against the PCRs, and refuses it with a byte changed',
    async () => {
      for (const name of ['one', 'two', 'three']) {
        await imafs.system.ok(['cat', imafs.put(name, `content of ${name}\n`, { label: 'none' })]);
      }
      const { list, pcrs } = await filesOf(imafs);
      const evmctl = (file: string) =>
        imafs.system.run(['evmctl', 'ima_measurement', ...pcrs, file]);
      assert.deepEqual((await evmctl(list)).exit, 0);
      const bytes = readFileSync(list);
      for (const at of [bytes.length - 2, bytes.indexOf('one'), 90]) {
        const changed = Buffer.from(bytes);
        changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
        const file = join(imafs.root, 'changed');
        writeFileSync(file, changed);
        assert.notEqual((await evmctl(file)).exit, 0, `byte ${at}`);
      }
    },
  );

  imafs.test('tpm2_pcrread sees what pcrs_BANK says, while the daemon runs', async () => {
    for (const bank of ['sha1', 'sha256', 'sha384', 'sha512']) {
      const text = await imafs.system.ok(['cat', imafs.control(`pcrs_${bank}`)]);
      const value = /PCR-10: ([0-9A-F]+)/.exec(text)?.[1]?.toLowerCase();
      assert.equal(value, swtpm.pcr(bank, 10), bank);
    }
  });

  imafs.test('as many PCR_Extend commands succeeded as the list has lines', async () => {
    const files = Array.from({ length: 40 }, (_, index) =>
      imafs.put(`many-${index}`, `${index}\n`, { label: 'none' }),
    );
    // At once, twice each, and once for a writer beside a reader.
    await Promise.all(
      files.map((file) => imafs.system.ok(['sh', '-c', `cat ${file} & cat ${file}; wait`])),
    );
    const [file = ''] = files;
    await imafs.system.xt(`open r ${file} , open w ${file}`);
    const lines = await linesOf();
    const count = await imafs.system.ok(['cat', imafs.control('runtime_measurements_count')]);
    assert.equal(Number(count), lines.length);
    assert.equal(swtpm.countCommands(PCR_EXTEND), lines.length);
    assert.equal(new Set(lines).size, lines.length, 'nothing is there twice');
  });

  imafs.test('imafs log verify agrees', async () => {
    const { exit, stderr } = await imafs.system.run([
      ...['node', 'dist/src/main.js'],
      ...['log', 'verify', imafs.mountpoint],
    ]);
    assert.equal(exit, 0, stderr);
  });
});

describe('boot_aggregate of a TPM that was extended before', () => {
  for (const pcr of [0, 3, 8, 9]) {
    used.tool('tpm2_pcrextend', `${pcr}:sha1=${'ab'.repeat(20)},sha256=${'cd'.repeat(32)}`);
  }
  const imafs = useImafs({ options: { tpm: used.tcti } });

  imafs.test('is over PCR 0 to 9 of SHA-256, as evmctl has it', async () => {
    const pcrs = join(imafs.root, 'pcrs');
    writeFileSync(pcrs, await imafs.system.ok(['cat', imafs.control('pcrs_sha256')]));
    const expected = await imafs.system.ok([
      'evmctl',
      'ima_boot_aggregate',
      '--pcrs',
      `sha256,${pcrs}`,
    ]);
    const list = await imafs.system.ok(['cat', imafs.control('ascii_runtime_measurements')]);
    const digest = / ima-ng (sha256:[0-9a-f]{64}) boot_aggregate/.exec(list)?.[1];
    assert.ok(digest !== undefined && expected.includes(digest), `${expected} ${list}`);
  });
});

describe('without a TPM', () => {
  const imafs = useImafs({ policy: [READ] });

  imafs.test('software PCRs are what the list replays to', async () => {
    await imafs.system.ok(['cat', imafs.put('one', 'content\n', { label: 'none' })]);
    const { list, pcrs } = await filesOf(imafs);
    await imafs.system.ok(['evmctl', 'ima_measurement', ...pcrs, list]);
  });

  imafs.test('a namespace has its own list, under its own names', async () => {
    const file = imafs.put('shared', 'content\n', { label: 'none' });
    const container = await imafs.activated(['measure fowner=1000']);
    await container.ok(['sh', '-c', `mkdir /tmp/.m$$; mount --bind ${imafs.mountpoint} /mnt`]);
    await container.ok(['cat', '/mnt/shared']);
    await container.ok(['cat', '/mnt/shared']);
    const read = async (where: string) =>
      (await imafs.system.ok(['cat', imafs.control(where)])).split('\n').slice(1, -1);
    const own = await read(`${container.id}/ascii_runtime_measurements`);
    assert.equal(own.length, 1);
    assert.ok(own[0]?.endsWith(' /mnt/shared'), own[0]);
    const systems = await read('ascii_runtime_measurements');
    assert.equal(systems.filter((line) => line.endsWith(` ${file}`)).length, 1);
    assert.equal(await container.ok(['cat', '/mnt/.ima/runtime_measurements_count']), '2\n');
  });

  imafs.test("a namespace that is not activated sees an empty view, not the system's", async () => {
    const container = await imafs.container();
    const names = ['ascii_runtime_measurements', 'runtime_measurements_count', 'violations'];
    const shown = await container.ok(['cat', ...names.map((name) => imafs.control(name))]);
    assert.equal(shown, '0\n0\n');
  });

  imafs.test('an old descriptor shows new entries', async () => {
    const list = imafs.control('ascii_runtime_measurements');
    const reader = imafs.system.startXt(`open r ${list} , read , read , wait , read`);
    await reader.printed('waiting');
    await imafs.system.ok(['cat', imafs.put('later', 'later\n', { label: 'none' })]);
    await reader.proceed();
    const results = (await reader.ended).stdout.split('\n');
    assert.match(results.at(-2) ?? '', /^read=ok \d+ .*later/);
  });

  imafs.test('labels of evmctl are those of imafs, for each algorithm', async () => {
    for (const algorithm of ['sha1', 'sha256', 'sha384', 'sha512']) {
      for (const name of ['theirs', 'ours']) imafs.put(name, 'content\n', { label: 'none' });
      const evmctl = ['evmctl', 'ima_hash', '-a', algorithm, imafs.behind('theirs')];
      await imafs.system.ok(evmctl);
      const label = ['label', 'hash', '-a', algorithm, imafs.behind('ours')];
      await imafs.system.ok(['node', 'dist/src/main.js', ...label]);
      const xattr = (name: string) =>
        imafs.system.ok([
          ...['getfattr', '--absolute-names', '--only-values', '-n', 'security.ima'],
          imafs.behind(name),
        ]);
      assert.equal(await xattr('ours'), await xattr('theirs'), algorithm);
    }
  });
});
