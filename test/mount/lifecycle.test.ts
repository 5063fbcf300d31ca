/** The command's way: mount that returns, over itself, umount, and what is left behind. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';

import { Namespace } from '../helpers/namespace.js';
import { IMAFS } from '../helpers/project.js';

describe('imafs mount and umount', () => {
  let system: Namespace;
  let root = '';
  const options = (): string => `system_ns=self,state=${root}/state`;

  before(async () => {
    root = mkdtempSync('/tmp/imafs-test-');
    mkdirSync(`${root}/backing`);
    mkdirSync(`${root}/mnt`);
    writeFileSync(`${root}/backing/file`, 'text\n');
    system = await Namespace.start();
  });
  after(async () => {
    for (const path of ['mnt', 'backing']) await system.run(['umount', '-l', `${root}/${path}`]);
    await system.stop();
    rmSync(root, { recursive: true });
  });

  async function mounts(): Promise<string[]> {
    const table = await system.ok(['cat', '/proc/self/mountinfo']);
    return table.split('\n').filter((line) => line.includes(root));
  }

  /** Gone, or left for an init that is slow to reap. */
  async function ended(pid: number): Promise<void> {
    const state = `$(sed -n 's/^State:[^A-Z]*//p' /proc/${pid}/status 2>/dev/null)`;
    const wait = `for i in $(seq 100); do case "${state}" in ''|Z*) exit 0; esac; sleep 0.05; done; exit 1`;
    await system.ok(['sh', '-c', wait]);
  }

  for (const [what, mountpoint] of [
    ['beside', 'mnt'],
    ['over itself', 'backing'],
  ] as const) {
    test(`${what}: mount returns when mounted, umount when the daemon is gone`, async () => {
      const at = `${root}/${mountpoint}`;
      const mounted = await system.ok([
        ...IMAFS,
        'mount',
        '--json',
        '-o',
        options(),
        `${root}/backing`,
        at,
      ]);
      const { pid } = JSON.parse(mounted) as { pid: number };
      assert.equal((await mounts()).length, 1);
      assert.equal(await system.ok(['cat', `${at}/file`]), 'text\n');
      assert.equal(await system.ok(['cat', `${at}/.ima/active`]), '1\n');
      assert.equal(
        (await system.run([...IMAFS, 'mount', '-o', options(), `${root}/backing`, at])).exit,
        11,
      );
      await system.ok([...IMAFS, 'umount', at]);
      assert.deepEqual(await mounts(), []);
      await ended(pid);
    });
  }

  test('plain umount(8) ends the daemon too', async () => {
    const mounted = await system.ok([
      ...IMAFS,
      'mount',
      '--json',
      '-o',
      options(),
      `${root}/backing`,
      `${root}/mnt`,
    ]);
    const { pid } = JSON.parse(mounted) as { pid: number };
    await system.ok(['umount', `${root}/mnt`]);
    await ended(pid);
  });

  test('a backing with an entry named like the control tree is refused', async () => {
    mkdirSync(`${root}/backing/.ima`);
    const outcome = await system.run([
      ...IMAFS,
      'mount',
      '-o',
      options(),
      `${root}/backing`,
      `${root}/mnt`,
    ]);
    rmSync(`${root}/backing/.ima`, { recursive: true });
    assert.equal(outcome.exit, 6, outcome.stderr);
    assert.deepEqual(await mounts(), []);
  });
});
