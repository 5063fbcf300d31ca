import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';

import { errnoOf } from '../base/errno.js';
import { isBelow, type MountLine, mountOfPath } from '../base/mountinfo.js';
import { realPath } from './absolute-path.js';
import { missingCapabilities } from './capabilities.js';
import { EXIT } from './exit-codes.js';
import { ANSWER_HINTS, NO_ANSWER } from './mount-answer.js';
import { probeMount } from './mount-probe.js';
import { IMAFS_TYPE, isDeadErrno, mountAt, readMountTable } from './mount-table.js';
import { detachDead } from './unmount.js';
import { UserError } from './user-error.js';

/** Both directories of a mount, absolute and without symlinks. */
export interface MountPlaces {
  readonly backing: string;
  readonly mountpoint: string;
}

export interface CheckedPlaces extends MountPlaces {
  /** An imafs mount whose daemon is gone lies there, and over the backing if that is the same. */
  readonly isOverDead: boolean;
}

/**
 * Resolves and checks what `imafs mount` is given; throws a UserError that says what is wrong. A dead
 * imafs mount at the mountpoint is no obstacle: it is to be replaced.
 */
export async function resolveMountPlaces(
  backing: string,
  mountpoint: string,
): Promise<CheckedPlaces> {
  const places = {
    backing: resolved(backing, BACKING),
    mountpoint: resolved(mountpoint, MOUNTPOINT),
  };
  const table = readMountTable();
  const isOverDead = await demandFree(mountAt(places.mountpoint, table), mountpoint);
  if (!isOverDead) demandDirectory(places.mountpoint, MOUNTPOINT);
  // What a dead mount covers shows itself to the daemon, once that has detached it.
  if (!isOverDead || places.backing !== places.mountpoint) {
    await demandOwnFiles(mountOfPath(table, places.backing), backing);
    demandDirectory(places.backing, BACKING);
  }
  if (places.mountpoint !== places.backing && isBelow(places.mountpoint, places.backing)) {
    throw new UserError(
      EXIT.badPath,
      'bad-mountpoint',
      `mountpoint ${mountpoint} lies inside the backing directory ${backing}`,
      [`imafs mount ${backing} ${backing}`],
    );
  }
  return { ...places, isOverDead };
}

/** Detaches what is dead at the mountpoint, and throws if there is a mount below that is not. */
export async function clearMountpoint(mountpoint: string): Promise<void> {
  await detachDead(mountpoint);
  await demandFree(mountAt(mountpoint), mountpoint);
}

/** Throws unless there is no imafs mount at the mountpoint, or a dead one: true then. */
async function demandFree(top: MountLine | undefined, mountpoint: string): Promise<boolean> {
  if (top?.type !== IMAFS_TYPE) return false;
  switch ((await probeMount(top)).state) {
    case 'dead':
      return true;
    case 'unreachable':
      return false;
    case 'served':
      throw new UserError(
        EXIT.mounted,
        'already-mounted',
        `${mountpoint} is already an imafs mount`,
        [`imafs umount ${mountpoint}`],
      );
    case 'silent':
      throw new UserError(
        EXIT.mounted,
        'already-mounted',
        `${mountpoint} is already an imafs mount, whose daemon ${NO_ANSWER}`,
        [...ANSWER_HINTS, `imafs umount ${mountpoint}`],
      );
  }
}

/** Throws if the backing directory is itself a file of imafs. */
async function demandOwnFiles(lies: MountLine | undefined, backing: string): Promise<void> {
  if (lies?.type !== IMAFS_TYPE) return;
  const { state } = await probeMount(lies);
  if (state === 'unreachable') return;
  if (state === 'dead') throw deadMount(backing, lies.mountpoint);
  throw new UserError(EXIT.badPath, 'bad-backing', `${backing} lies on an imafs mount itself`);
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

const BACKING = { name: 'backing directory', code: 'bad-backing' } as const;
const MOUNTPOINT = { name: 'mountpoint', code: 'bad-mountpoint' } as const;
type Role = typeof BACKING | typeof MOUNTPOINT;

function resolved(path: string, role: Role): string {
  try {
    return realPath(path);
  } catch (error) {
    throw placeError(path, role, error);
  }
}

function demandDirectory(path: string, role: Role): void {
  try {
    if (statSync(path).isDirectory()) return;
  } catch (error) {
    throw placeError(path, role, error);
  }
  throw new UserError(EXIT.badPath, role.code, `${role.name} ${path} is not a directory`);
}

function placeError(path: string, { name, code }: Role, error: unknown): UserError {
  const errno = errnoOf(error);
  if (isDeadErrno(errno)) {
    const mount = mountOfPath(readMountTable(), resolve(path));
    return deadMount(path, mount?.mountpoint ?? path);
  }
  const what = errno === 'ENOENT' ? 'does not exist' : `cannot be used: ${errno}`;
  return new UserError(EXIT.badPath, code, `${name} ${path} ${what}`);
}

/** Another mount than the one that is to be replaced. */
function deadMount(path: string, mountpoint: string): UserError {
  return new UserError(
    EXIT.mounted,
    'dead-mount',
    `${path} is on the mount of ${mountpoint}, whose daemon is gone`,
    [`umount ${mountpoint}, or imafs doctor --clean`],
  );
}
