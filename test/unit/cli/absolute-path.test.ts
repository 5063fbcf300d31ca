import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { absolutePath, realPath } from '../../../src/cli/absolute-path.js';
import { UserError } from '../../../src/cli/user-error.js';

const root = realpathSync(mkdtempSync(join(tmpdir(), 'imafs-path-')));
after(() => rmSync(root, { recursive: true }));
mkdirSync(join(root, 'a/b'), { recursive: true });
writeFileSync(join(root, 'a/file'), '');
symlinkSync('a/b', join(root, 'link'));
symlinkSync(join(root, 'link'), join(root, 'to-link'));
symlinkSync('loop', join(root, 'loop'));

test('paths lead where realpath(3) says', () => {
  for (const path of [
    'a',
    'a//b/',
    './a/./file',
    'link',
    'to-link/.',
    'link/..',
    'to-link/../file',
    'a/../../..',
  ]) {
    const given = `${root}/${path}`;
    assert.equal(realPath(given), realpathSync.native(given), path);
  }
  assert.equal(realPath('/'), '/');
  assert.equal(realPath('.'), realpathSync('.'));
  assert.equal(realPath('///'), '/');
});

test('what is not there and what never ends are told', () => {
  assert.throws(() => realPath(`${root}/nowhere`), { code: 'ENOENT' });
  assert.throws(() => realPath(`${root}/nowhere/..`), { code: 'ENOENT' });
  assert.throws(() => realPath(`${root}/loop`), { code: 'ELOOP' });
  assert.throws(
    () => absolutePath(`${root}/nowhere`),
    (error) => error instanceof UserError && error.exit === 6,
  );
});
