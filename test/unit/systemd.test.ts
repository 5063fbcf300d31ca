import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { PROJECT } from '../helpers/project.js';
import { skipUnless } from '../helpers/skip.js';

const UNITS = `${PROJECT}src/integrations/systemd`;
const skip = skipUnless('systemd', 'it checks the units');

test('systemd finds nothing wrong with the units', { skip }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'imafs-units-'));
  after(() => rmSync(directory, { recursive: true }));
  const service = readFileSync(`${UNITS}/imafs@.service`, 'utf8');
  // What is started has to be there; an instance of the template stands under its name.
  const started = service.replace('ExecStart=/usr/local/bin/imafs', 'ExecStart=/bin/true');
  assert.notEqual(started, service);
  writeFileSync(join(directory, 'imafs@srv-app.service'), started);
  copyFileSync(`${UNITS}/srv-app.mount`, join(directory, 'srv-app.mount'));
  for (const unit of ['imafs@srv-app.service', 'srv-app.mount']) {
    const words = ['verify', '--man=no', '--recursive-errors=no', join(directory, unit)];
    const { status, stdout, stderr } = spawnSync('systemd-analyze', words, { encoding: 'utf8' });
    const said = stdout + stderr;
    assert.equal(status, 0, said);
    // It may have more to say about this machine.
    assert.doesNotMatch(said, /imafs|srv-app/);
  }
});
