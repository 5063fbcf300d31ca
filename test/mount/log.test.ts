/** `imafs log show` and `log verify` on live mounts. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe } from 'node:test';

import { type Imafs, useImafs } from '../helpers/imafs.js';
import type { Namespace } from '../helpers/namespace.js';
import { IMAFS } from '../helpers/project.js';
import { verb } from '../helpers/verb.js';

const MEASURE = ['measure func=FILE_CHECK mask=MAY_READ'];

async function read(imafs: Imafs, namespace: Namespace, name: string): Promise<void> {
  imafs.put(name, `content of ${name}`, { label: 'none' });
  await namespace.ok(['cat', imafs.at(name)]);
}

describe('the list of a mount', () => {
  const imafs = useImafs({ policy: MEASURE });

  imafs.test('log show prints what the control file has, of each bank', async () => {
    await read(imafs, imafs.system, 'one');
    for (const bank of ['sha1', 'sha256']) {
      const file = await imafs.system.ok([
        'cat',
        imafs.control(`ascii_runtime_measurements_${bank}`),
      ]);
      const words = [...IMAFS, 'log', 'show', '--bank', bank, imafs.mountpoint];
      assert.equal(await imafs.system.ok(words), file);
      assert.match(file, /^10 [0-9a-f]+ ima-ng sha256:[0-9a-f]{64} boot_aggregate\n/);
      assert.ok(file.includes(` ${imafs.at('one')}\n`));
    }
  });

  imafs.test('log show --json gives one object for each entry', async () => {
    await read(imafs, imafs.system, 'two');
    const { exit, lines } = await verb(imafs.system, 'log', 'show', imafs.mountpoint);
    assert.equal(exit, 0);
    assert.equal(lines[0]?.['name'], 'boot_aggregate');
    assert.equal(lines.at(-1)?.['name'], imafs.at('two'));
    const count = await imafs.system.ok(['cat', imafs.control('runtime_measurements_count')]);
    assert.equal(lines.length, Number(count));
  });

  imafs.test('log verify replays the list against the PCRs of each bank', async () => {
    await read(imafs, imafs.system, 'three');
    const { exit, lines } = await verb(imafs.system, 'log', 'verify', imafs.mountpoint);
    assert.equal(exit, 0);
    const list = lines.at(-1);
    assert.deepEqual([list?.['type'], list?.['verified']], ['list', true]);
    const banks = lines.slice(0, -1).map(({ bank, match }) => [bank, match]);
    assert.ok(banks.some(([bank]) => bank === 'sha1') && banks.some(([bank]) => bank === 'sha256'));
    assert.ok(banks.every(([, match]) => match === true));
  });

  imafs.test('log verify accepts what is added while it reads', async () => {
    for (let number = 0; number < 2000; number++) {
      imafs.put(`many/${number}`, `${number}`, { label: 'none' });
    }
    const script = `echo ready; cat ${imafs.at('many')}/* >/dev/null`;
    const reader = imafs.system.start(['sh', '-c', script]);
    await reader.printed('ready');
    const counts = new Set<unknown>();
    for (let tries = 0; tries < 5; tries++) {
      const { exit, lines } = await verb(imafs.system, 'log', 'verify', imafs.mountpoint);
      assert.equal(exit, 0, JSON.stringify(lines.at(-1)));
      counts.add(lines.at(-1)?.['entries']);
    }
    await reader.succeeds();
    assert.ok(counts.size > 1, 'nothing was added meanwhile');
  });

  imafs.test('a namespace has a list of its own, for itself and for the system', async () => {
    const container = await imafs.activated(MEASURE);
    await read(imafs, container, 'contained');
    for (const [namespace, ...ns] of [
      [container],
      [imafs.system, '--ns', String(container.id)],
    ] as const) {
      const shown = await verb(namespace, 'log', 'show', ...ns, imafs.mountpoint);
      assert.deepEqual(
        shown.lines.map(({ name }) => name),
        ['boot_aggregate', imafs.at('contained')],
      );
      const verified = await verb(namespace, 'log', 'verify', ...ns, imafs.mountpoint);
      assert.equal(verified.exit, 0);
      assert.equal(verified.lines.at(-1)?.['entries'], 2);
    }
    const other = await verb(imafs.system, 'log', 'show', '--ns', '1', imafs.mountpoint);
    assert.deepEqual([other.exit, other.lines[0]?.['code']], [2, 'no-namespace']);
  });

  imafs.test('log show -f goes on with what is added, until it is interrupted', async () => {
    for (const json of [[], ['--json']]) {
      const words = [...IMAFS, 'log', 'show', '-f', ...json, imafs.mountpoint];
      const following = imafs.system.start(words);
      const says = (what: string): Promise<void> =>
        following.until(() => following.stdout.includes(what), `show ${what}`, 10_000);
      await says('boot_aggregate');
      const name = `followed${json.length}`;
      await read(imafs, imafs.system, name);
      await says(imafs.at(name));
      following.signal('SIGINT');
      assert.equal((await following.ended).exit, 0);
      const lines = following.stdout.split('\n').filter((line) => line.includes(imafs.at(name)));
      assert.equal(lines.length, 1);
    }
  });

  imafs.test('a list saved to a file verifies there, with the PCRs saved beside it', async () => {
    await read(imafs, imafs.system, 'saved');
    await imafs.shell(`for f in binary_runtime_measurements_sha256 pcrs_sha256; do
      cat "$MNT/.ima/$f" > "$ROOT/$f"; done`);
    const list = join(imafs.root, 'binary_runtime_measurements_sha256');
    const pcrs = `sha256,${join(imafs.root, 'pcrs_sha256')}`;
    const saved = await verb(imafs.system, 'log', 'verify', list, '--pcrs', pcrs);
    assert.deepEqual([saved.exit, saved.lines[0]?.['match']], [0, true]);
    await read(imafs, imafs.system, 'saved later');
    await imafs.shell(`cat "$MNT/.ima/pcrs_sha256" > "$ROOT/pcrs_sha256"`);
    const later = await verb(imafs.system, 'log', 'verify', list, '--pcrs', pcrs);
    assert.deepEqual([later.exit, later.lines[0]?.['match']], [3, false]);
  });
});

describe('a list in a TPM', () => {
  const imafs = useImafs({ policy: MEASURE, options: { tpm: 'swtpm' } });

  imafs.test('verifies with what tpm2_pcrread reads, until somebody else extends', async () => {
    await read(imafs, imafs.system, 'one');
    const tpm = (await imafs.system.ok(['cat', imafs.control('self/tpm')])).trim();
    const pcrs = join(imafs.root, 'pcrs');
    const list = join(imafs.root, 'list');
    await imafs.shell(`tpm2_pcrread -T '${tpm}' sha1:10+sha256:10 > ${pcrs}
      cat $MNT/.ima/binary_runtime_measurements_sha256 > ${list}`);
    const banks = ['--pcrs', `sha1,${pcrs}`, '--pcrs', `sha256,${pcrs}`];
    assert.equal((await verb(imafs.system, 'log', 'verify', list, ...banks)).exit, 0);
    assert.equal((await verb(imafs.system, 'log', 'verify', imafs.mountpoint)).exit, 0);
    await imafs.shell(`tpm2_pcrextend -T '${tpm}' 10:sha256=${'ab'.repeat(32)}`);
    const { exit, lines } = await verb(imafs.system, 'log', 'verify', imafs.mountpoint);
    assert.equal(exit, 3);
    const matches = new Map(lines.map(({ bank, match }) => [bank, match]));
    assert.deepEqual([matches.get('sha1'), matches.get('sha256')], [true, false]);
    assert.equal((lines.at(-2)?.['problem'] as { kind: string }).kind, 'unrelated');
  });
});

describe('a mount that goes', () => {
  const imafs = useImafs({ policy: MEASURE });

  imafs.test('ends log show -f', async () => {
    const following = imafs.system.start([...IMAFS, 'log', 'show', '-f', imafs.mountpoint]);
    const shows = (): boolean => following.stdout.includes('boot_aggregate');
    await following.until(shows, 'show the list', 10_000);
    await imafs.system.ok(['umount', '-l', imafs.mountpoint]);
    assert.equal((await following.ended).exit, 0);
    // The descriptor that was followed is closed, so the daemon ends too.
    assert.equal((await imafs.daemon.process.ended).exit, 0);
  });
});
