import { closeSync, constants, fstatSync, openSync } from 'node:fs';

import { FileProblem } from './file-problem.js';
import { O_PATH, systemPath, type WalkedDirectory } from './walk-files.js';
import { readXattr, removeXattr, SECURITY_IMA } from './xattrs.js';

/** A regular file whose name and attributes can be had; it is not opened for its content, which could be refused. */
export class NamedFile {
  private constructor(
    private readonly fd: number,
    /** latin1 */
    readonly path: string,
    readonly sizeBytes: number,
  ) {}

  /**
   * `name` (latin1) in a directory. Undefined if it is of another file system than that. Throws a
   * FileProblem or a system error.
   */
  static open(
    { base, shown, device }: Pick<WalkedDirectory, 'base' | 'shown' | 'device'>,
    name: string,
  ): NamedFile | undefined {
    const fd = openSync(systemPath(base + name), O_PATH | constants.O_NOFOLLOW);
    const stat = fstatSync(fd, { bigint: true });
    if (stat.isFile() && (device === undefined || stat.dev === device)) {
      return new NamedFile(fd, shown + name, Number(stat.size));
    }
    closeSync(fd);
    if (stat.isSymbolicLink()) throw new FileProblem('is a symbolic link');
    if (!stat.isFile()) throw new FileProblem('is not a regular file');
    return undefined;
  }

  readLabel(): Buffer | undefined {
    return readXattr(this.fd, SECURITY_IMA);
  }

  /** False if there was none. */
  removeLabel(): boolean {
    return removeXattr(this.fd, SECURITY_IMA);
  }

  close(): void {
    closeSync(this.fd);
  }
}
