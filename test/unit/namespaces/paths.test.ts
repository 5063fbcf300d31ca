import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMountinfo } from '../../../src/base/mountinfo.js';
import { placePath } from '../../../src/namespaces/paths.js';

const line = (root: string, mountpoint: string): string =>
  `36 35 0:90 ${root} ${mountpoint} rw,noatime - fuse.imafs /srv rw,user_id=0`;

const place = (lines: readonly string[], path: string): string | undefined =>
  placePath(parseMountinfo(`${lines.join('\n')}\n`), path);

test('a path lies below the mount that shows it', () => {
  assert.equal(place([line('/', '/data')], '/a/b'), '/data/a/b');
  assert.equal(place([line('/', '/')], '/a/b'), '/a/b');
  assert.equal(place([line('/', '/data')], '/'), '/data');
});

test('a bind mount of a part shows only what is below it', () => {
  assert.equal(place([line('/app', '/opt')], '/app/run'), '/opt/run');
  assert.equal(place([line('/app', '/opt')], '/app'), '/opt');
  assert.equal(place([line('/app', '/opt')], '/application'), undefined);
});

test('a mount of the whole is preferred, and of two the later', () => {
  assert.equal(place([line('/', '/whole'), line('/app', '/part')], '/app/run'), '/whole/app/run');
  assert.equal(place([line('/', '/one'), line('/', '/two')], '/f'), '/two/f');
});

test('names that mountinfo escapes are read back', () => {
  assert.equal(place([line('/', '/with\\040space')], '/f'), '/with space/f');
});
