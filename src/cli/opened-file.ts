import { type BigIntStats, closeSync, constants, fstatSync, openSync } from 'node:fs';

import { errnoOf } from '../base/errno.js';
import type { ImaFile } from '../ima/ports.js';
import { FileProblem } from './file-problem.js';
import { O_PATH, systemPath } from './walk-files.js';

/** Conditions on it are no matter of a file by itself. */
const ANY_FILE_SYSTEM = { fsMagic: 0, fsName: '', fsUuid: undefined } as const;

/** A FIFO that was put there meanwhile must not keep us, a terminal not become ours. */
const READING =
  constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;

/** The content may be what it was: another worker labelled a hard link, say. To be looked at once more. */
export class AttributesChanged extends FileProblem {}

/** A regular file that a worker has open. */
export class OpenedFile {
  private constructor(
    readonly fd: number,
    /** latin1 */
    readonly path: string,
    private readonly found: BigIntStats,
  ) {}

  /**
   * Opens what `at` (latin1) leads to, for reading, or so that only its name and attributes can be had.
   * Undefined if it is of another file system than `device`. Throws a FileProblem or a system error.
   */
  static open(
    at: string,
    path: string,
    device: bigint | undefined,
    isRead: boolean,
  ): OpenedFile | undefined {
    const fd = isRead ? openToRead(at) : openNoFollow(at, O_PATH | constants.O_NOFOLLOW);
    try {
      const found = fstatSync(fd, { bigint: true });
      if (device === undefined || found.dev === device) {
        if (!found.isFile()) throw new FileProblem('is not a regular file');
        return new OpenedFile(fd, path, found);
      }
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    closeSync(fd);
    return undefined;
  }

  /** What EVM looks at. */
  get facts(): Pick<ImaFile, 'object' | 'mode'> {
    const { uid, gid, mode } = this.found;
    const object = { uid: Number(uid), gid: Number(gid), ...ANY_FILE_SYSTEM };
    return { object, mode: Number(mode) };
  }

  get sizeBytes(): number {
    return Number(this.found.size);
  }

  /** Throws if the file is not as it was when it was opened: what was read of it is of no version. */
  demandUnchanged(): void {
    const { size, mtimeNs, ctimeNs } = fstatSync(this.fd, { bigint: true });
    const { found } = this;
    const problem = 'changed while it was read: nothing is said or done about it';
    if (size !== found.size || mtimeNs !== found.mtimeNs) throw new FileProblem(problem);
    if (ctimeNs !== found.ctimeNs) throw new AttributesChanged(problem);
  }

  close(): void {
    closeSync(this.fd);
  }
}

/** Its owner and root may ask that the time of access stays, which spares writing the inode. */
function openToRead(at: string): number {
  try {
    return openNoFollow(at, READING | constants.O_NOATIME);
  } catch (error) {
    if (errnoOf(error) !== 'EPERM') throw error;
    return openNoFollow(at, READING);
  }
}

function openNoFollow(at: string, flags: number): number {
  try {
    return openSync(systemPath(at), flags);
  } catch (error) {
    if (errnoOf(error) === 'ELOOP') throw new FileProblem('is a symbolic link');
    throw error;
  }
}
