import assert from 'node:assert/strict';
import { test } from 'node:test';

import { mountHelperWords } from '../../../src/integrations/mount-helper.js';

function words(line: string): readonly string[] {
  const result = mountHelperWords(line.split(' '));
  assert.ok(result.ok, line);
  return result.value;
}

test('what mount(8) passes becomes a mount command', () => {
  assert.deepEqual(words('/srv/a /mnt -o rw,policy=/p'), [
    'mount',
    '-o',
    'rw,policy=/p',
    '--',
    '/srv/a',
    '/mnt',
  ]);
});

test('flags and type may stand anywhere and change nothing', () => {
  assert.deepEqual(words('-sn /srv/a -v /mnt -t fuse.imafs'), ['mount', '--', '/srv/a', '/mnt']);
});

test('-f does everything but the mount, which is nothing', () => {
  assert.deepEqual(words('/srv/a /mnt -f -o rw'), []);
});

test('a remount, another namespace and a missing target are refused', () => {
  for (const line of ['/srv/a /mnt -o remount,ro', '/srv/a /mnt -N 1', '/srv/a']) {
    assert.equal(mountHelperWords(line.split(' ')).ok, false, line);
  }
});
