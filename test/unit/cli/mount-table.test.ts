import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseMountinfo } from '../../../src/base/mountinfo.js';
import { imafsMounts, mountAt } from '../../../src/cli/mount-table.js';

const TABLE = parseMountinfo(
  [
    '24 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw',
    '31 24 0:40 / /srv/a rw - fuse.imafs /srv/a\\040data rw,user_id=0',
    '32 24 0:40 /sub /srv/part rw master:2 - fuse.imafs /srv/a\\040data rw',
    '33 31 0:42 / /srv/a/tmp rw - tmpfs tmpfs rw',
    '34 24 0:43 / /srv/a rw - fuse.imafs /second rw',
    '',
  ].join('\n'),
);

test('what is mounted last at a place is what counts', () => {
  assert.equal(mountAt('/srv/a', TABLE)?.source, '/second');
  assert.equal(mountAt('/srv', TABLE), undefined);
});

test('imafs mounts are the whole ones, with their backing directory', () => {
  assert.deepEqual(
    imafsMounts(TABLE).map(({ mountpoint, source }) => [mountpoint, source]),
    [
      ['/srv/a', '/srv/a data'],
      ['/srv/a', '/second'],
    ],
  );
});
