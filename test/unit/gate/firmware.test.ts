import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Firmware, firmwareOfMachine } from '../../../src/gate/firmware.js';
import { KTHREADD, skipUnless } from '../../helpers/skip.js';
import { GateFixture } from './fixture.js';

test('a kernel thread reads firmware, a user does not, and neither does below another directory', {
  skip: skipUnless('kernel threads', 'nobody to be taken for one'),
}, () => {
  const firmware = new Firmware(['/lib/firmware']);
  assert.equal(firmware.isRead('/lib/firmware/a/b.bin', KTHREADD), true);
  assert.equal(firmware.isRead('/lib/firmware/a/b.bin', process.pid), false);
  assert.equal(firmware.isRead('/lib/firmwares/b.bin', KTHREADD), false);
  assert.equal(firmware.isRead('/lib/firmware/a', 0), false, 'nobody');
});

test('where this machine looks for it', () => {
  assert.equal(firmwareOfMachine().holds('/etc/passwd'), false);
});

test('what passed for a user is not remembered for a kernel thread', async () => {
  const gate = new GateFixture('stack', 'appraise func=FILE_CHECK');
  const good = gate.good('firmware');
  assert.deepEqual(await gate.opened(good), { errno: 0, remember: false, successor: undefined });
  assert.equal((await gate.opened(gate.good('other'))).remember, true);
});
