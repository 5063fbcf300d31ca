import { readdirSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { type MountLine, mountOfPath } from '../base/mountinfo.js';
import type { ObjectFacts } from '../ima/ports.js';
import { absolutePath } from './absolute-path.js';
import { connect } from './connect.js';
import { EXIT } from './exit-codes.js';
import { type MountStatus, readStatus } from './mount-status.js';
import { IMAFS_TYPE, readMountTable } from './mount-table.js';
import { UserError } from './user-error.js';

/** What policies see of a file system. */
export type FileSystemFacts = Omit<ObjectFacts, 'uid' | 'gid' | 'label'>;

/** udev's links to block devices, by the UUIDs of what is on them. */
const BY_UUID = '/dev/disk/by-uuid';

/** Of the file system that a path lies on; on a live mount, of its backing. */
export async function fileSystemFacts(
  path: string,
  controlName: string | undefined,
): Promise<FileSystemFacts> {
  const lies = mountOfPath(readMountTable(), absolutePath(path));
  if (lies?.type === IMAFS_TYPE) {
    const { mount } = readStatus(await connect(path, controlName));
    if (mount !== undefined) return backingFacts(mount);
    const message = `only root of the system's namespace is told what lies below ${path}`;
    throw new UserError(EXIT.missing, 'not-allowed', message);
  }
  const { type } = statfsSync(path);
  return { fsMagic: type, ...namesOf(lies), fsUuid: uuidOf(path) };
}

/** Of the backing of a mount. */
export function backingFacts({ backing, transport }: MountStatus): FileSystemFacts {
  // The backing directory may lie below its own mount.
  const others = readMountTable().filter(({ type }) => type !== IMAFS_TYPE);
  const { fsMagic, fsUuid } = transport;
  return { fsMagic, ...namesOf(mountOfPath(others, backing)), fsUuid };
}

/** `fuse.sshfs` is the type fuse with the subtype sshfs. */
function namesOf(mount: MountLine | undefined): Pick<ObjectFacts, 'fsName' | 'fsSubtype'> {
  const [fsName = '', fsSubtype] = mount?.type.split('.', 2) ?? [];
  return { fsName, fsSubtype };
}

/** As far as udev knows it; the file system itself tells only newer kernels' ioctl. */
function uuidOf(path: string): string | undefined {
  const { dev } = statSync(path);
  try {
    return readdirSync(BY_UUID)
      .find((name) => statSync(join(BY_UUID, name)).rdev === dev)
      ?.toLowerCase();
  } catch {
    return undefined;
  }
}
