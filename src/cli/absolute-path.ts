import { lstatSync, readlinkSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';

import { errnoOf } from '../base/errno.js';
import type { MountLine } from '../base/mountinfo.js';
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
  return walk(path, () => true);
}

/**
 * The first imafs mount that a path leads to or through and that is not one of `passed`, found without
 * asking it anything. Undefined also where the path cannot be followed.
 */
export function mountOnTheWay(path: string, passed: ReadonlySet<number>): MountLine | undefined {
  let found: MountLine | undefined;
  try {
    walk(path, (mount) => {
      if (!passed.has(mount.id)) found ??= mount;
      return found === undefined;
    });
  } catch {
    // Whoever follows it says why.
  }
  return found;
}

/** Follows a path; `enter` is told each imafs mount on it, and answers whether to go on into it. */
function walk(path: string, enter: (mount: MountLine) => boolean): string {
  const table = readMountTable();
  let symlinks = 0;
  let isStopped = false;
  const resolve = (given: string): string => {
    const trimmed = given.replace(/\/+$/, '');
    if (trimmed === '') return '/';
    const parent = resolve(dirname(trimmed));
    const name = trimmed.slice(trimmed.lastIndexOf('/') + 1);
    if (name === '.') return parent;
    if (name === '..') return dirname(parent);
    const here = join(parent, name);
    const mount = mountAt(here, table);
    if (mount?.type === IMAFS_TYPE) {
      isStopped ||= !enter(mount);
      return here;
    }
    if (isStopped || !lstatSync(here).isSymbolicLink()) return here;
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
