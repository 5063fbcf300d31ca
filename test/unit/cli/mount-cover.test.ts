import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { demandUncovered } from '../../../src/cli/mount-cover.js';
import { UserError } from '../../../src/cli/user-error.js';

const root = realpathSync(mkdtempSync(join(tmpdir(), 'imafs-cover-')));
after(() => rmSync(root, { recursive: true }));
mkdirSync(join(root, 'mnt'));
mkdirSync(join(root, 'mnt-state'));
symlinkSync(join(root, 'mnt'), join(root, 'link'));

const mountpoint = join(root, 'mnt');
const harmless = { mountpoint, stateDirectory: join(root, 'mnt-state/a'), auditFile: undefined };

test('a mount beside what the daemon needs is fine', () => {
  demandUncovered({ ...harmless, auditFile: join(root, 'audit.log') });
});

for (const [what, change] of [
  ['the state directory', { stateDirectory: join(root, 'mnt/not/there/yet') }],
  ['the state directory', { stateDirectory: mountpoint }],
  ['the state directory', { stateDirectory: join(root, 'link/state') }],
  ['the audit file', { auditFile: join(root, 'mnt/audit.log') }],
  ['the node binary', { mountpoint: dirname(realpathSync(process.execPath)) }],
  [
    'imafs itself',
    { mountpoint: realpathSync(fileURLToPath(new URL('../../../..', import.meta.url))) },
  ],
  ['the state directory', { mountpoint: '/' }],
] as const) {
  test(`a mount over ${what} is refused: ${JSON.stringify(change)}`, () => {
    assert.throws(
      () => demandUncovered({ ...harmless, ...change }),
      (error) =>
        error instanceof UserError &&
        error.exit === 6 &&
        error.message.includes(what) &&
        error.hints.length > 0,
    );
  });
}
