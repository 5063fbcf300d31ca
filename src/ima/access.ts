import type { Hook, ImaFile, Subject } from './ports.js';

/** One hook of one request; an open with several hooks is several of these, in kernel order. */
export interface Access {
  readonly hook: Hook;
  /** MAY_* bits */
  readonly mask: number;
  readonly subject: Subject;
  readonly file: ImaFile;
  /** The open file can be written through (FMODE_WRITE): O_WRONLY or O_RDWR, not O_TRUNC alone. */
  readonly writable: boolean;
  /** O_DIRECT */
  readonly directIo: boolean;
  /**
   * Writers are open through the mount and all of them belong to this namespace: what was decided
   * when they opened stands although the version moved (the kernel forgets it at the last close).
   */
  readonly writersOwn: boolean;
  /** The version at which the first of them opened it; undefined where there are none or others'. */
  readonly writersSince: number | undefined;
  /** ima_d_path: the file's name in this list, without a NUL. */
  readonly name: () => Promise<Uint8Array>;
  /** Whether others have the file open, or are opening it, for reading alone (i_readcount). */
  readonly hasReaders: () => Promise<boolean>;
  /** Whether others can write to it: by a handle, a mapping, or behind the mount (i_writecount). */
  readonly hasWriters: () => Promise<boolean>;
  /** The same at once; what is true may be of the past. */
  readonly mayHaveWriters: () => boolean;
}
