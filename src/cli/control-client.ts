import { closeSync, openSync, readFileSync, readlinkSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';

import { errnoOf } from '../base/errno.js';
import { type MountLine, mountOfPath } from '../base/mountinfo.js';
import { absolutePath } from './absolute-path.js';
import { EXIT } from './exit-codes.js';
import { MOUNT_OPTIONS } from './mount-option-table.js';
import { IMAFS_TYPE, readMountTable } from './mount-table.js';
import { UserError } from './user-error.js';

/**
 * A running daemon as the command line sees it: the control tree of its mount, through which all talk
 * goes. What the tree lets a caller see and do, the daemon decides by the caller's namespace.
 */
export class ControlClient {
  constructor(
    /** The whole mount. */
    readonly mount: MountLine,
    /** Where the path asked about lies: the same, or a bind mount of the whole or a part. */
    private readonly entry: MountLine,
    private readonly controlName: string,
  ) {}

  /** Content of a file of the tree, `policy` or `4026532841/mode`. */
  read(name: string): string {
    return this.readBytes(name).toString('utf8');
  }

  readBytes(name: string): Buffer {
    try {
      return readFileSync(this.path(name));
    } catch (error) {
      throw this.asUserError(name, error);
    }
  }

  /** What stands from `offset` on in a list that is open and grows: at most `size` bytes. */
  readOn(name: string, fd: number, offset: number, size: number): Buffer {
    try {
      const bytes = Buffer.allocUnsafe(size);
      return bytes.subarray(0, readSync(fd, bytes, 0, size, offset));
    } catch (error) {
      throw this.asUserError(name, error);
    }
  }

  /** Descriptor of a file of the tree, open for reading. */
  open(name: string): number {
    try {
      return openSync(this.path(name), 'r');
    } catch (error) {
      throw this.asUserError(name, error);
    }
  }

  /** Number of the reader's own namespace, as `self` leads to it. */
  ownNamespace(): string {
    try {
      return readlinkSync(this.path('self')).replace(/\/$/, '');
    } catch (error) {
      throw this.asUserError('self', error);
    }
  }

  /**
   * Writes each line by a write(2) of its own through one descriptor, as the kernel's policy loaders
   * do. `onRefusal` may turn the errno of line `index` (undefined: of close(2)) into a better error.
   */
  writeLines(
    name: string,
    lines: readonly (string | Uint8Array)[],
    onRefusal: (code: string | undefined, index: number | undefined) => UserError | undefined,
  ): void {
    let fd: number;
    try {
      fd = openSync(this.path(name), 'w');
    } catch (error) {
      throw this.asUserError(name, error);
    }
    let failed: UserError | undefined;
    let index: number | undefined;
    try {
      for (index = 0; index < lines.length; index++) {
        writeSync(fd, Buffer.concat([Buffer.from(lines[index] ?? ''), Buffer.from('\n')]));
      }
    } catch (error) {
      failed = onRefusal(errnoOf(error), index) ?? this.asUserError(name, error);
    }
    try {
      closeSync(fd);
    } catch (error) {
      failed ??= onRefusal(errnoOf(error), undefined) ?? this.asUserError(name, error);
    }
    if (failed !== undefined) throw failed;
  }

  /** An absolute path on this mount as the daemon knows it: from the mount's root, `/` first. */
  pathBelow(path: string): string {
    return join(this.entry.root, path.slice(this.entry.mountpoint.length));
  }

  private path(name: string): string {
    return join(this.mount.mountpoint, this.controlName, name);
  }

  private asUserError(name: string, error: unknown): UserError {
    const { mountpoint } = this.mount;
    return controlError(mountpoint, `${this.controlName}/${name}`, errnoOf(error), error);
  }
}

/** Why a file of the control tree cannot be used; `error` is for what has no errno. */
export function controlError(
  mountpoint: string,
  where: string,
  code: string | undefined,
  error?: unknown,
): UserError {
  switch (code) {
    case 'ENOTCONN':
    case 'ECONNABORTED':
      return noDaemon(mountpoint);
    case 'EACCES':
    case 'EPERM':
      return new UserError(EXIT.missing, 'not-allowed', `${where}: not allowed (${code})`, [
        "only root of the system's namespace, or of the namespace itself, may do this",
      ]);
    case 'ENOENT':
      return new UserError(EXIT.runtime, 'no-namespace', `${where}: not there`, [
        `imafs ns ls ${mountpoint}`,
      ]);
    default:
      return new UserError(EXIT.runtime, 'control', `${where}: ${code ?? String(error)}`);
  }
}

/** The control tree of the mount that `path` lies on, which is known to answer: connect() asks first. */
export function controlClientOf(
  path: string,
  controlName: string = MOUNT_OPTIONS.control.default,
): ControlClient {
  const { whole, entry } = mountsOf(path);
  return new ControlClient(whole, entry, controlName);
}

/** The mount that `path` lies on, and the whole of it, which has the control tree. */
export function mountsOf(path: string): { readonly whole: MountLine; readonly entry: MountLine } {
  const table = readMountTable();
  const absolute = absolutePath(path);
  const entry = mountOfPath(table, absolute);
  if (entry?.type !== IMAFS_TYPE) {
    throw new UserError(EXIT.noDaemon, 'not-imafs', `${path} is not on an imafs mount`, [
      'imafs status shows the mounts',
    ]);
  }
  const whole = table.findLast(({ device, root }) => device === entry.device && root === '/');
  if (whole === undefined) {
    throw new UserError(
      EXIT.noDaemon,
      'part-of-mount',
      `only a part of the mount is visible at ${entry.mountpoint}, without its control tree`,
    );
  }
  return { whole, entry };
}

export function noDaemon(mountpoint: string): UserError {
  return new UserError(EXIT.noDaemon, 'no-daemon', `the daemon of ${mountpoint} is gone`, [
    `imafs umount ${mountpoint}`,
  ]);
}
