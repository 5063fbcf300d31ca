import { lstatSync, readlinkSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';

import { errnoOf } from '../base/errno.js';
import { EXIT } from './exit-codes.js';
import { IMAFS_TYPE, isDeadErrno, mountAt, readMountTable } from './mount-table.js';
import { UserError } from './user-error.js';

/** As many symlinks as the kernel follows, path_resolution(7). */
const MOST_SYMLINKS = 40;

/** Absolute and without symlinks; as it is given where a dead mount is in the way. */
export function absolutePath(path: string): string {
  try {
    return realPath(path);
  } catch (error) {
    const code = errnoOf(error);
    if (isDeadErrno(code)) return fromHere(path);
    throw new UserError(EXIT.badPath, 'no-such-path', `${path}: ${code}`);
  }
}

/**
 * realpath(3), except that an imafs mountpoint is known from the mount table and not looked at: a daemon
 * that is dead or stopped does not keep anybody from naming its mount. Throws what lstat(2) does.
 */
export function realPath(path: string): string {
  const table = readMountTable();
  let symlinks = 0;
  const resolve = (given: string): string => {
    const trimmed = given.replace(/\/+$/, '');
    if (trimmed === '') return '/';
    const parent = resolve(dirname(trimmed));
    const name = trimmed.slice(trimmed.lastIndexOf('/') + 1);
    if (name === '.') return parent;
    if (name === '..') return dirname(parent);
    const here = join(parent, name);
    if (mountAt(here, table)?.type === IMAFS_TYPE) return here;
    if (!lstatSync(here).isSymbolicLink()) return here;
    if (++symlinks > MOST_SYMLINKS) throw Object.assign(new Error(here), { code: 'ELOOP' });
    const target = readlinkSync(here);
    return resolve(isAbsolute(target) ? target : `${parent}/${target}`);
  };
  return resolve(fromHere(path));
}

/** Not by join(), which takes `symlink/..` for nothing. */
function fromHere(path: string): string {
  return isAbsolute(path) ? path : `${process.cwd()}/${path}`;
}
