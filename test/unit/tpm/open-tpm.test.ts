import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog } from '../../../src/base/log.js';
import { openTpm, parseTpmChoice } from '../../../src/tpm/open-tpm.js';
import { TpmFailed } from '../../../src/tpm/tpm.js';

const surroundings = {
  pcr: 10,
  swtpmDirectory: '/nonexistent',
  kernelImaIsActive: () => true,
  log: createLog('silent'),
};
/** No machine has it, so that what is not refused fails for another reason. */
const device = parseTpmChoice('device:/dev/tpmrm65000');

for (const choice of ['none', 'auto', 'swtpm']) {
  test(`${choice} is a choice`, () => {
    assert.deepEqual(parseTpmChoice(choice), { ok: true, value: choice });
  });
}

test('none is software PCRs', async () => {
  const tpm = await openTpm('none', surroundings);
  assert.equal(tpm.name, 'none');
  assert.deepEqual(tpm.banks, ['sha1', 'sha256']);
});

test("a device whose PCR the kernel's IMA extends is refused with the remedy", async () => {
  assert.ok(device.ok);
  await assert.rejects(
    openTpm(device.value, surroundings),
    (error) => error instanceof TpmFailed && /kernel's IMA.*pcr=11/.test(error.message),
  );
});

for (const [what, given] of [
  ['of another PCR', { pcr: 11 }],
  ['without the IMA of the kernel', { kernelImaIsActive: () => false }],
] as const) {
  test(`a device ${what} is not refused for it`, async () => {
    assert.ok(device.ok);
    await assert.rejects(
      openTpm(device.value, { ...surroundings, ...given }),
      (error) => error instanceof TpmFailed && !error.message.includes('kernel'),
    );
  });
}
