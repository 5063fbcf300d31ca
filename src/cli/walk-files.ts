import { closeSync, constants, fstatSync, openSync, readdirSync } from 'node:fs';

/** open(2) flag of Linux that Node does not name; the same on x86, ARM, RISC-V and POWER. */
const O_PATH = 0o10000000;

/** A regular file, held by an O_PATH descriptor that is closed when the walk goes on. */
export interface FoundFile {
  readonly fd: number;
  /** The name in bytes: Linux names need not be UTF-8. */
  readonly path: Buffer;
  readonly sizeBytes: number;
}

export type WalkProblem = (path: string, message: string) => void;

/**
 * The file `path`, or all regular files below the directory `path`. No symlink is followed, not even
 * one put in place while the walk runs: each step opens a name in the directory held open before it.
 * Other file systems mounted below are not entered.
 */
export function* walkFiles(
  path: string,
  recursive: boolean,
  onProblem: WalkProblem,
): Generator<FoundFile> {
  yield* visit(path, Buffer.from(path), undefined, recursive, onProblem);
}

function* visit(
  at: string | Buffer,
  path: Buffer,
  device: bigint | undefined,
  recursive: boolean,
  onProblem: WalkProblem,
): Generator<FoundFile> {
  let fd: number;
  try {
    fd = openSync(at, O_PATH | constants.O_NOFOLLOW);
  } catch (error) {
    onProblem(path.toString(), (error as NodeJS.ErrnoException).code ?? String(error));
    return;
  }
  try {
    const stat = fstatSync(fd, { bigint: true });
    if (device !== undefined && stat.dev !== device) return;
    if (stat.isFile()) {
      yield { fd, path, sizeBytes: Number(stat.size) };
    } else if (stat.isDirectory() && recursive) {
      yield* visitEntries(fd, path, stat.dev, onProblem);
    } else if (device === undefined) {
      onProblem(path.toString(), notAFile(stat.isDirectory(), stat.isSymbolicLink()));
    }
  } finally {
    closeSync(fd);
  }
}

function* visitEntries(
  fd: number,
  path: Buffer,
  device: bigint,
  onProblem: WalkProblem,
): Generator<FoundFile> {
  let names: Buffer[];
  try {
    names = readdirSync(descriptorPath(fd), { encoding: 'buffer' });
  } catch (error) {
    onProblem(path.toString(), (error as NodeJS.ErrnoException).code ?? String(error));
    return;
  }
  for (const name of names.sort((left, right) => left.compare(right))) {
    const at = Buffer.concat([Buffer.from(`${descriptorPath(fd)}/`), name]);
    yield* visit(at, Buffer.concat([path, Buffer.from('/'), name]), device, true, onProblem);
  }
}

/** A name by which system calls that want a path reach what a descriptor holds. */
export function descriptorPath(fd: number): string {
  return `/proc/self/fd/${fd}`;
}

function notAFile(isDirectory: boolean, isSymlink: boolean): string {
  if (isDirectory) return 'is a directory (use --recursive)';
  return isSymlink ? 'is a symbolic link' : 'is not a regular file';
}
