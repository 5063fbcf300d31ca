import { constants, fstatSync } from 'node:fs';

import { errnoOf } from '../base/errno.js';
import { loadAddon } from '../binding/addon.js';
import type { SnapshotFacts } from '../binding/addon-types.js';
import type { ImaFile } from '../ima/ports.js';
import { FileProblem } from './file-problem.js';
import type { WalkedDirectory } from './walk-files.js';
import { SECURITY_IMA } from './xattrs.js';

/** Conditions on it are no matter of a file by itself. */
const ANY_FILE_SYSTEM = { fsMagic: 0, fsName: '', fsUuid: undefined } as const;

/** Of the file that this thread has open: it has one at a time, and an array for each takes as long as a call. */
const facts = new BigInt64Array(7) as SnapshotFacts;

/** The content may be what it was: another worker labelled a hard link, say. To be looked at once more. */
export class AttributesChanged extends FileProblem {}

const addon = loadAddon();

/**
 * A regular file that is open for reading, its label as it was then, and what it began with. Native calls
 * do several things at once here: of a small file's time calls are the most.
 */
export class OpenedFile {
  private constructor(
    readonly fd: number,
    readonly sizeBytes: number,
    /** security.ima */
    readonly label: Buffer | undefined,
    /** Its first bytes, in the buffer given: all of them if they are as many as sizeBytes and fit. */
    readonly beginning: Buffer,
  ) {}

  /**
   * Opens `name` (latin1) in a directory. The file opened before is closed by now. Undefined if it is of
   * another file system than the directory. Throws a FileProblem or a system error.
   */
  static open(
    { fd: directory, device }: Pick<WalkedDirectory, 'fd' | 'device'>,
    name: string,
    buffer: Buffer,
  ): OpenedFile | undefined {
    const label = openSnapshot(directory, name, buffer);
    const [fd, read, dev, mode, size] = facts;
    const isRegular = (Number(mode) & constants.S_IFMT) === constants.S_IFREG;
    if (isRegular && (device === undefined || dev === device)) {
      const beginning = buffer.subarray(0, Number(read));
      return new OpenedFile(Number(fd), Number(size), label, beginning);
    }
    addon.closeDescriptor(Number(fd));
    if (!isRegular) throw new FileProblem('is not a regular file');
    return undefined;
  }

  /** What EVM looks at. */
  get attributes(): Pick<ImaFile, 'object' | 'mode' | 'xattr'> {
    const { uid, gid, mode } = fstatSync(this.fd);
    const xattr = (name: string): Buffer | undefined => addon.getXattr(this.fd, name);
    return { object: { uid, gid, ...ANY_FILE_SYSTEM }, mode, xattr };
  }

  /** Sets security.ima, on this very file. Throws, and nothing is set, if it is not as it was when opened. */
  setLabel(value: Uint8Array): void {
    this.#setIfUnchanged(value);
  }

  /** Throws if the file is not as it was when it was opened: what was read of it is of no version. */
  demandUnchanged(): void {
    this.#setIfUnchanged(undefined);
  }

  #setIfUnchanged(value: Uint8Array | undefined): void {
    if (Number(facts[0]) !== this.fd) throw new Error('another file was opened since');
    const change = addon.setXattrIfUnchanged(facts, SECURITY_IMA, value);
    if (change === 0) return;
    const problem = 'changed while it was read: nothing is said or done about it';
    throw change === 1 ? new AttributesChanged(problem) : new FileProblem(problem);
  }

  close(): void {
    addon.closeDescriptor(this.fd);
  }
}

function openSnapshot(
  directory: number | undefined,
  name: string,
  buffer: Buffer,
): Buffer | undefined {
  try {
    return addon.openSnapshot(directory, name, SECURITY_IMA, buffer, facts);
  } catch (error) {
    if (errnoOf(error) === 'ELOOP') throw new FileProblem('is a symbolic link');
    throw error;
  }
}
