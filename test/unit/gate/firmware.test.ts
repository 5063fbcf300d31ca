import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Firmware, firmwareOfMachine } from '../../../src/gate/firmware.js';
import { GateFixture } from './fixture.js';

const ALLOWED = 0;
const EACCES = 13;
const user = { kernelThread: false };
const kernel = { kernelThread: true };

test('a kernel thread reads firmware, a user does not, and neither does below another directory', () => {
  const firmware = new Firmware(['/lib/firmware']);
  assert.equal(firmware.isRead('/lib/firmware/a/b.bin', kernel), true);
  assert.equal(firmware.isRead('/lib/firmware/a/b.bin', user), false);
  assert.equal(firmware.isRead('/lib/firmwares/b.bin', kernel), false);
});

test('where this machine looks for it', () => {
  const firmware = firmwareOfMachine();
  assert.equal(firmware.isRead('/etc/passwd', kernel), false);
  assert.equal(
    firmware.isRead('/usr/lib/firmware/x', kernel) || firmware.isRead('/lib/firmware/x', kernel),
    true,
  );
});

test('a rule about firmware is for kernel threads', async () => {
  const gate = new GateFixture('stack', 'appraise func=FIRMWARE_CHECK');
  const file = gate.transport.add('firmware', 'unlabelled');
  const asKernel = gate.transport.open(file, { ...gate.namespaces.caller(1n), ...kernel });
  assert.equal((await gate.opened(file)).errno, ALLOWED);
  assert.equal((await gate.open.handle(asKernel)).errno, EACCES);
});
