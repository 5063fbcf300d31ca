/** One (TPM, PCR) has one list: the lock that sees to it, and what is left of it. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { createLog } from '../../src/base/log.js';
import { loadAddon } from '../../src/binding/addon.js';
import { type ClaimParts, claimTpm, TpmClaimed } from '../../src/tpm/claim-tpm.js';
import { parseTpmChoice, settleTpmChoice } from '../../src/tpm/open-tpm.js';
import { TestSwtpm } from '../helpers/swtpm.js';

const swtpmDirectory = mkdtempSync(join(tmpdir(), 'imafs-claim-'));
after(() => rmSync(swtpmDirectory, { recursive: true }));

const swtpm = await TestSwtpm.start();

const addon = loadAddon();
const parts = (changed: Partial<ClaimParts> = {}): ClaimParts => ({
  pcr: 10,
  swtpmDirectory,
  addon,
  log: createLog('silent'),
  ...changed,
});

const isLocked = (name: string): boolean => {
  const choice = parseTpmChoice(name);
  const settled = choice.ok ? settleTpmChoice(choice.value) : 'none';
  assert.ok(settled !== 'none' && settled !== 'swtpm');
  const hash = createHash('sha256').update(settled.identity).digest('hex').slice(0, 32);
  return existsSync(`/run/imafs/tpm-${hash}-10.lock`);
};

test('a TPM and PCR is claimed once, and its lock file goes with the claim', async () => {
  const tpm = await claimTpm(swtpm.tcti, parts());
  await assert.rejects(claimTpm(swtpm.tcti, parts()), TpmClaimed);
  assert.ok(isLocked(swtpm.tcti), 'who is refused takes nothing away');
  await tpm.close();
  assert.ok(!isLocked(swtpm.tcti));
});

test('a claim that fails leaves no lock file', async () => {
  const nowhere = 'swtpm:path=/nowhere/sock';
  await assert.rejects(claimTpm(nowhere, parts()), /\/nowhere\/sock/);
  assert.ok(!isLocked(nowhere));
});

test('a lock on a file that was removed meanwhile is none', async () => {
  let times = 0;
  const racing: ClaimParts['addon'] = {
    closeDescriptor: (fd) => addon.closeDescriptor(fd),
    lockFile: (path) => {
      const fd = addon.lockFile(path);
      // As if its holder had given it back between our opening and our locking.
      if (++times === 1) rmSync(path);
      return fd;
    },
  };
  const tpm = await claimTpm(swtpm.tcti, parts({ addon: racing }));
  assert.equal(times, 2);
  await assert.rejects(claimTpm(swtpm.tcti, parts()), TpmClaimed);
  await tpm.close();
});
