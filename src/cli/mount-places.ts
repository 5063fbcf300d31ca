import { existsSync, realpathSync, statSync } from 'node:fs';

import { isBelow, mountOfPath } from '../base/mountinfo.js';
import { missingCapabilities } from './capabilities.js';
import { EXIT } from './exit-codes.js';
import { IMAFS_TYPE, isDead, mountAt, readMountTable } from './mount-table.js';
import { UserError } from './user-error.js';

/** Both directories of a mount, absolute and without symlinks. */
export interface MountPlaces {
  readonly backing: string;
  readonly mountpoint: string;
}

/** Resolves and checks what `imafs mount` is given; throws a UserError that says what is wrong. */
export function resolveMountPlaces(backing: string, mountpoint: string): MountPlaces {
  const places = {
    backing: directory(backing, 'backing directory'),
    mountpoint: directory(mountpoint, 'mountpoint'),
  };
  const table = readMountTable();
  if (mountAt(places.mountpoint, table)?.type === IMAFS_TYPE) {
    if (isDead(places.mountpoint)) throw deadMount(mountpoint);
    throw new UserError(
      EXIT.mounted,
      'already-mounted',
      `${mountpoint} is already an imafs mount`,
      [`imafs umount ${mountpoint}`],
    );
  }
  if (mountOfPath(table, places.backing)?.type === IMAFS_TYPE) {
    throw new UserError(EXIT.badPath, 'bad-backing', `${backing} lies on an imafs mount itself`);
  }
  if (places.mountpoint !== places.backing && isBelow(places.mountpoint, places.backing)) {
    throw new UserError(
      EXIT.badPath,
      'bad-mountpoint',
      `mountpoint ${mountpoint} lies inside the backing directory ${backing}`,
      [`imafs mount ${backing} ${backing}`],
    );
  }
  return places;
}

/** Throws if this process cannot mount a FUSE file system at all. */
export function demandMountRights(): void {
  const missing = missingCapabilities(['CAP_SYS_ADMIN']);
  if (missing.length > 0) {
    throw new UserError(
      EXIT.missing,
      'missing-capability',
      `mounting needs ${missing.join(', ')}`,
      ['run it as root'],
    );
  }
  if (!existsSync('/dev/fuse')) {
    throw new UserError(EXIT.missing, 'missing-device', '/dev/fuse is not there', [
      'modprobe fuse; in a container, pass the device in (--device /dev/fuse)',
    ]);
  }
}

function directory(path: string, role: string): string {
  try {
    const real = realpathSync(path);
    if (!statSync(real).isDirectory()) throw badPlace(role, path, 'is not a directory');
    return real;
  } catch (error) {
    if (error instanceof UserError) throw error;
    if (isDead(path)) throw deadMount(path);
    const { code } = error as NodeJS.ErrnoException;
    throw badPlace(role, path, code === 'ENOENT' ? 'does not exist' : `cannot be used: ${code}`);
  }
}

function badPlace(role: string, path: string, what: string): UserError {
  const code = role === 'mountpoint' ? 'bad-mountpoint' : 'bad-backing';
  return new UserError(EXIT.badPath, code, `${role} ${path} ${what}`);
}

function deadMount(path: string): UserError {
  return new UserError(EXIT.mounted, 'dead-mount', `${path} is a mount whose daemon is gone`, [
    `imafs umount ${path}`,
  ]);
}
