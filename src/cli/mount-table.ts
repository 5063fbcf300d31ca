import { readFileSync } from 'node:fs';

import { type MountLine, parseMountinfo } from '../base/mountinfo.js';

export const IMAFS_TYPE = 'fuse.imafs';

/** All mounts that a process sees, in the order they were made. */
export function readMountTable(pid: string | number = 'self'): MountLine[] {
  return parseMountinfo(readFileSync(`/proc/${pid}/mountinfo`, 'latin1'));
}

/** The imafs mounts; not the bind mounts of parts of them, which have no control tree. */
export function imafsMounts(table = readMountTable()): MountLine[] {
  return table.filter(({ type, root }) => type === IMAFS_TYPE && root === '/');
}

/** What is mounted on top at a mountpoint, or undefined. */
export function mountAt(mountpoint: string, table = readMountTable()): MountLine | undefined {
  return table.findLast((mount) => mount.mountpoint === mountpoint);
}

/** open(2) that names a place and asks its file system nothing; Node does not know the flag. */
export const O_PATH = 0o10000000;

/** Which mount a descriptor is on. */
export function mountIdOf(fd: number): number {
  const facts = readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1');
  return Number(/^mnt_id:\s*(\d+)$/m.exec(facts)?.[1]);
}

/** ENOTCONN, or ECONNABORTED after an abort. */
export function isDeadErrno(errno: string | undefined): boolean {
  return errno === 'ENOTCONN' || errno === 'ECONNABORTED';
}
