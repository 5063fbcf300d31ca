/** SIGKILL of the daemon: what fails, what goes on, and what the restart makes of it. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe } from 'node:test';

import { causesOf } from '../helpers/audit-lines.js';
import { Imafs, PROTECTED } from '../helpers/imafs.js';
import { labelFile, labelFor, labelOf } from '../helpers/label.js';
import { IMAFS } from '../helpers/project.js';

/** Takes the dead mount away and starts a daemon on the same state. */
async function restart(imafs: Imafs): Promise<void> {
  await imafs.system.ok(['umount', '-l', imafs.mountpoint]);
  await imafs.startDaemon();
}

async function unsettled(imafs: Imafs): Promise<{ path: string; reason: string }[]> {
  const { mount } = (await imafs.status()) as {
    mount: { unsettled: { path: string; reason: string }[] };
  };
  return mount.unsettled;
}

for (const passthrough of ['rw', 'off']) {
  describe(`passthrough=${passthrough}`, () => {
    const imafs = new Imafs({ policy: [`appraise fowner=${PROTECTED}`], options: { passthrough } });
    beforeEach(() => imafs.start());
    afterEach(() => imafs.stop());

    imafs.test('every new lookup, open and exec fails, warm or not', async () => {
      const file = imafs.put('warm', 'text\n');
      const script = imafs.put('script', '#!/bin/sh\n', { mode: 0o755 });
      await imafs.system.xt(`open r ${file} , open r ${file} , run ${script}`);
      await imafs.daemon.crash();
      const results = await imafs.system.xt(
        `open r ${file} , run ${script} , stat ${imafs.at('other')} , open wc ${imafs.at('new')}`,
      );
      for (const result of results) assert.match(result, /=(ENOTCONN|ECONNABORTED)$/);
    });

    imafs.test('a descriptor opened before goes on only where the kernel serves it', async () => {
      const file = imafs.put('open', 'text\n');
      const reader = imafs.system.startXt(`open r ${file} , wait , pread 0 5`);
      await reader.printed('waiting');
      await imafs.daemon.crash();
      await reader.proceed();
      const { stdout } = await reader.ended;
      assert.match(stdout, passthrough === 'rw' ? /pread=ok 5 text/ : /pread=E/);
    });

    imafs.test('after a restart without writers everything is as before', async () => {
      const file = imafs.put('kept', 'text\n');
      // The reading settles it: between close(2) and that, a crash leaves it unsettled.
      await imafs.system.xt(`open wa ${file} , write more , close , open r ${file}`);
      await imafs.daemon.crash();
      await restart(imafs);
      assert.deepEqual(await imafs.system.xt(`open r ${file} , read`), [
        'open=ok',
        'read=ok 9 text',
      ]);
      assert.deepEqual(await unsettled(imafs), []);
    });

    imafs.test(
      'a file with a writer at the crash is not blessed, but named by status and doctor',
      async () => {
        const file = imafs.put('in-writing', 'text\n');
        const writer = imafs.system.startXt(`open wa ${file} , write more , wait`);
        await writer.printed('waiting');
        await imafs.daemon.crash();
        await writer.kill();
        await restart(imafs);
        assert.deepEqual(await imafs.system.xt(`open r ${file}`), ['open=EACCES']);
        assert.deepEqual(causesOf(imafs.auditLines(), 'in-writing').slice(-1), ['invalid-hash']);
        assert.equal(labelOf(imafs.behind('in-writing')), labelFor('text\n'));
        assert.deepEqual(await unsettled(imafs), [{ path: '/in-writing', reason: 'crash' }]);
        const doctor = await imafs.system.run([...IMAFS, 'doctor', '--json']);
        assert.match(doctor.stdout + doctor.stderr, /in-writing/);
        labelFile(imafs.behind('in-writing'));
        assert.deepEqual(await imafs.system.xt(`open r ${file}`), ['open=ok']);
        assert.deepEqual(await unsettled(imafs), []);
      },
    );

    imafs.test('a new file in writing at the crash fails too', async () => {
      const writer = imafs.system.startXt(`open wcx ${imafs.at('new')} , write hello , wait`, {
        uid: PROTECTED,
      });
      await writer.printed('waiting');
      await imafs.daemon.crash();
      await writer.kill();
      await restart(imafs);
      assert.deepEqual(await imafs.system.xt(`open r ${imafs.at('new')}`), ['open=EACCES']);
    });
  });
}
