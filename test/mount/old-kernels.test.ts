/**
 * What older kernels lack, each lack forced (see helpers/old-kernel.ts). Some files of test/mount run
 * once more as on 5.15: run-tests.ts has the list.
 */
import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { describe } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { PROTECTED, useImafs } from '../helpers/imafs.js';
import { labelFor, labelOf } from '../helpers/label.js';
import { OLD_KERNELS } from '../helpers/old-kernel.js';
import { program } from '../helpers/programs.js';

const RULE = `appraise fowner=${PROTECTED}`;

const EXPECTED = {
  '5.15': { protocolMinor: 34, passthrough: 'off' },
  '6.8': { protocolMinor: 39, passthrough: 'off' },
  '6.10': { protocolMinor: 40, passthrough: 'rw' },
} as const;

for (const kernel of OLD_KERNELS) {
  describe(`as on Linux ${kernel}`, () => {
    const imafs = useImafs({ policy: [RULE], kernel });

    /** Mount namespaces that the daemon holds by a descriptor. */
    function held(): string[] {
      const directory = `/proc/${imafs.daemon.pid}/fd`;
      return readdirSync(directory).flatMap((fd) => {
        try {
          return /^mnt:\[(\d+)\]$/.exec(readlinkSync(`${directory}/${fd}`))?.slice(1) ?? [];
        } catch {
          return [];
        }
      });
    }

    imafs.test('INIT is answered for what it offers, and status says so', async () => {
      const { mount } = (await imafs.status()) as { mount: { transport: Record<string, unknown> } };
      const { protocolMinor, passthrough } = mount.transport;
      assert.deepEqual({ protocolMinor, passthrough }, EXPECTED[kernel]);
    });

    imafs.test('files are judged, written, labelled, mapped and executed', async () => {
      const [good, bad] = [imafs.put('good', 'text'), imafs.put('bad', 'text', { label: 'none' })];
      const tool = imafs.putProgram('tool', program('exit-good'));
      const results = await imafs.system.xt(
        `open r ${good} , read , open r ${bad} , run ${tool} , open wt ${good} , write longer , close , open rw ${good} , mmap rw s 6 , close , store 0 LONGER , munmap , open r ${good} , read`,
      );
      assert.deepEqual(results.slice(0, 4), [
        'open=ok',
        'read=ok 4 text',
        'open=EACCES',
        'run=ok exit 0',
      ]);
      assert.deepEqual(results.slice(-2), ['open=ok', 'read=ok 6 LONGER']);
      assert.equal(labelOf(imafs.behind('good')), labelFor('LONGER'));
    });

    imafs.test('a namespace is held while anything is kept for it, and let go', async () => {
      const container = await imafs.activated(['appraise fowner=2000']);
      const file = imafs.put('held', 'text', { label: 'none', owner: 2000 });
      assert.deepEqual(await container.xt(`open r ${file}`), ['open=EACCES']);
      assert.ok(held().includes(String(container.id)), held().join(' '));
      await container.stop();
      for (const limit = Date.now() + 30_000; held().includes(String(container.id)); ) {
        assert.ok(Date.now() < limit, 'it is still held after 30 seconds');
        await sleep(200);
      }
    });

    imafs.test('one that a bind mount keeps does not end when nobody is in it', async () => {
      const place = `${imafs.root}/kept/namespace`;
      // The kernel binds a namespace only in one with a lower id, and each CPU has ids of its own.
      await imafs.shell(
        `mkdir $ROOT/kept; mount --bind $ROOT/kept $ROOT/kept; mount --make-private $ROOT/kept; touch ${place};
         for i in $(seq 200); do
           taskset -c $((i % $(nproc))) unshare --mount=${place} true 2>/dev/null && exit 0; done; exit 1`,
      );
      const inside = (command: string): Promise<string> =>
        imafs.system.ok(['nsenter', `--mount=${place}`, 'sh', '-c', `${command} 2>&1; true`]);
      const name = (await inside('readlink /proc/self/ns/mnt')).replaceAll(/\D/g, '');
      const entered = imafs.system.start(['nsenter', `--mount=${place}`, 'sleep', '60']);
      await entered.pid;
      await sleep(100);
      await imafs.system.ok(['sh', '-c', `echo ${name} > ${imafs.control('namespaces')}`]);
      await imafs.writePolicy(name, ['appraise fowner=2000']);
      await entered.kill();
      const file = imafs.put('kept-file', 'text', { label: 'none', owner: 2000 });
      await sleep(9000);
      assert.match(await inside(`cat ${file}`), /Permission denied/);
      await imafs.shell(`umount ${place}; umount $ROOT/kept`);
    });
  });
}
