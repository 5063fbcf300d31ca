/** Whose mount namespace is the system's: the daemon's own, one that is named, or a refusal. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { describe, test } from 'node:test';

import { type Imafs, useImafs } from '../helpers/imafs.js';
import { Namespace } from '../helpers/namespace.js';
import { IMAFS } from '../helpers/project.js';

describe('system_ns=PATH', () => {
  // The daemon leaves for a namespace of its own; its mount comes to the system's by propagation.
  const imafs: Imafs = useImafs({
    get options() {
      return { system_ns: `/proc/${imafs.system.agentPid}/ns/mnt` };
    },
    prepare: 'mount --bind $MNT $MNT; mount --make-shared $MNT',
    wrapper: ['unshare', '-m', '--propagation', 'unchanged'],
  });

  imafs.test('the root of that namespace is the root of the system', async () => {
    const { namespace, system } = await imafs.status();
    assert.deepEqual([namespace, system], [imafs.system.id, true]);
    const container = await imafs.activated(['appraise fowner=1']);
    assert.match(
      await imafs.system.ok(['cat', imafs.control('namespaces')]),
      RegExp(`${container.id}`),
    );
  });

  imafs.test("the daemon's own namespace is one like others", async () => {
    const enter = `setns /proc/${imafs.daemon.pid}/ns/mnt`;
    const results = await imafs.system.xt(
      `${enter} , open w ${imafs.control('namespaces')} , open r ${imafs.control(`${imafs.system.id}/policy`)}`,
    );
    assert.deepEqual(results, ['setns=ok', 'open=EPERM', 'open=EACCES']);
  });
});

describe("where PID 1's namespace is another one", () => {
  test('the mount is refused until it is said which one is meant', async () => {
    const root = mkdtempSync('/tmp/imafs-test-');
    for (const name of ['backing', 'mnt']) mkdirSync(`${root}/${name}`);
    const machine = await Namespace.start({ pid: true });
    const mount = (options: string): string =>
      `exec ${IMAFS.join(' ')} mount -o state=${root}/state${options} ${root}/backing ${root}/mnt`;
    const inside = (script: string) =>
      machine.run(['unshare', '-m', '--propagation', 'private', 'sh', '-c', script]);
    try {
      const refused = await inside(mount(''));
      assert.equal(refused.exit, 1, refused.stderr);
      assert.match(refused.stderr, /PID 1 in \d+/);
      assert.match(refused.stderr, /system_ns=self/);
      const self = `(${mount(',system_ns=self')}) && umount ${root}/mnt`;
      assert.equal((await inside(self)).exit, 0);
      const nowhere = await inside(mount(',system_ns=/nowhere'));
      assert.equal(nowhere.exit, 1, nowhere.stderr);
    } finally {
      await machine.stop();
      rmSync(root, { recursive: true });
    }
  });
});
