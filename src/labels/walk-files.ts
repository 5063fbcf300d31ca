import { closeSync, constants, fstatSync, openSync, readdirSync } from 'node:fs';

import { errnoOf } from '../base/errno.js';

/** open(2) flag of Linux that Node does not name; the same on x86, ARM, RISC-V and POWER. */
export const O_PATH = 0o10000000;

/**
 * A directory of the walk, kept open until whoever holds it has let go: what is opened in it through its
 * descriptor lies in it, wherever symlinks may have been put meanwhile. For an operand that is a file
 * itself: where it was named.
 *
 * Names and paths are latin1 here, a character for each byte: Linux names need not be UTF-8.
 */
export class WalkedDirectory {
  #holders = 1;

  constructor(
    /** O_PATH; undefined: names are from the working directory. */
    readonly fd: number | undefined,
    /** What to write before a name so that open(2) finds it. */
    readonly base: string,
    /** What to write before a name for the user. */
    readonly shown: string,
    /** Of its file system: what is mounted below, be it on a file, is passed over. */
    readonly device: bigint | undefined,
  ) {}

  hold(): void {
    this.#holders += 1;
  }

  release(): void {
    this.#holders -= 1;
    if (this.#holders === 0 && this.fd !== undefined) closeSync(this.fd);
  }
}

/** What the walk meets: a name that is a regular file's, or a path that it cannot go on with. */
export type Found =
  | { readonly kind: 'file'; readonly directory: WalkedDirectory; readonly name: string }
  | { readonly kind: 'problem'; readonly path: string; readonly message: string };

/**
 * The file `path`, or all regular files below the directory `path`, in the order of their names' bytes.
 * No symlink is followed, not even one put in place while the walk runs: each step opens a name in the
 * directory held open before it. Other file systems mounted below are not entered. The directory of a
 * file is open until the walk goes on; who needs it longer holds it.
 */
export function* walkFiles(path: string, recursive: boolean): Generator<Found> {
  const shown = Buffer.from(path).toString('latin1');
  let fd: number;
  try {
    fd = openSync(path, O_PATH | constants.O_NOFOLLOW);
  } catch (error) {
    yield problem(shown, error);
    return;
  }
  const stat = fstatSync(fd, { bigint: true });
  if (stat.isDirectory() && recursive) {
    yield* walkDirectory(fd, shown.endsWith('/') ? shown : `${shown}/`, stat.dev);
    return;
  }
  closeSync(fd);
  if (stat.isFile()) {
    const directory = new WalkedDirectory(undefined, '', '', undefined);
    yield { kind: 'file', directory, name: shown };
  } else {
    const message = notAFile(stat.isDirectory(), stat.isSymbolicLink());
    yield { kind: 'problem', path: shown, message };
  }
}

/** Takes over `fd`, which may be O_PATH. */
function* walkDirectory(fd: number, shown: string, device: bigint): Generator<Found> {
  const directory = new WalkedDirectory(fd, `${descriptorPath(fd)}/`, shown, device);
  try {
    for (const { name, isDirectory } of entriesOf(fd)) {
      if (isDirectory) yield* enter(directory, name);
      else yield { kind: 'file', directory, name };
    }
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    yield problem(shown.replace(/(?<=.)\/$/, ''), error);
  } finally {
    directory.release();
  }
}

function* enter({ base, shown, device }: WalkedDirectory, name: string): Generator<Found> {
  let fd: number;
  try {
    const flags = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW;
    fd = openSync(systemPath(base + name), flags);
  } catch (error) {
    yield problem(shown + name, error);
    return;
  }
  if (device === fstatSync(fd, { bigint: true }).dev) {
    yield* walkDirectory(fd, `${shown}${name}/`, device);
  } else {
    closeSync(fd);
  }
}

interface Entry {
  readonly name: string;
  readonly isDirectory: boolean;
}

/** Regular files and directories. */
function entriesOf(fd: number): Entry[] {
  return readdirSync(descriptorPath(fd), { encoding: 'buffer', withFileTypes: true })
    .filter((entry) => entry.isFile() || entry.isDirectory())
    .map((entry) => ({ name: entry.name.toString('latin1'), isDirectory: entry.isDirectory() }))
    .sort((left, right) => (left.name < right.name ? -1 : 1));
}

/** A latin1 path as system calls take it. */
export function systemPath(path: string): string | Buffer {
  return /^[\x00-\x7f]*$/.test(path) ? path : Buffer.from(path, 'latin1');
}

/** A latin1 path as it is shown. */
export function shownPath(path: string): string {
  return systemPath(path).toString();
}

/** A name by which system calls that want a path reach what a descriptor holds. */
export function descriptorPath(fd: number): string {
  return `/proc/self/fd/${fd}`;
}

function problem(path: string, error: unknown): Found {
  return { kind: 'problem', path, message: errnoOf(error) ?? String(error) };
}

function notAFile(isDirectory: boolean, isSymlink: boolean): string {
  if (isDirectory) return 'is a directory (use --recursive)';
  return isSymlink ? 'is a symbolic link' : 'is not a regular file';
}
