/**
 * Files with a writer whose end nobody has seen yet, on disk, so that after a crash they can be named:
 * their security.ima is not up to date. Lines are `+ INO PATH` and `- INO`; a path is JSON.
 *
 * One write(2) each, without fsync: it has to survive the daemon, and after a crash of the kernel the
 * files are refused all the same (invalid-hash), only their names may be missing.
 */
import { closeSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const FILE_NAME = 'unsettled';

/** Lines beyond twice the living entries before the file is written anew. */
const COMPACTION_SLACK = 1000;

/** A living entry: inode number on the backing file system, and path below the mount. */
interface Entry {
  readonly ino: string;
  readonly path: string;
}

export class Journal {
  readonly #entries = new Map<string, string>();
  #lines = 0;
  #fd: number;
  readonly #file: string;

  /**
   * What the previous run left unsettled: paths below the mount. It is named until the file is
   * settled in this run, and written again, so that another crash does not hide it.
   */
  readonly #inherited = new Map<string, string>();

  /** Throws the error of open(2), read(2) or write(2). */
  constructor(stateDirectory: string) {
    this.#file = join(stateDirectory, FILE_NAME);
    for (const { ino, path } of readJournal(this.#file)) {
      this.#entries.set(ino, path);
      this.#inherited.set(ino, path);
    }
    this.#fd = this.#rewrite();
  }

  /** A write-open is about to be allowed: on disk when this returns. Throws if it could not be written. */
  add(ino: bigint, path: string): void {
    const key = String(ino);
    if (this.#entries.get(key) === path) return;
    this.#append(`+ ${key} ${JSON.stringify(path)}\n`);
    this.#entries.set(key, path);
  }

  /** The file was labelled, or is no more. */
  remove(ino: bigint): void {
    const key = String(ino);
    this.#inherited.delete(key);
    if (!this.#entries.delete(key)) return;
    this.#append(`- ${key}\n`);
    if (this.#lines > 2 * this.#entries.size + COMPACTION_SLACK) {
      closeSync(this.#fd);
      this.#fd = this.#rewrite();
    }
  }

  /** Paths that a crash left unsettled and nobody labelled since. */
  inherited(): readonly string[] {
    return [...this.#inherited.values()];
  }

  close(): void {
    closeSync(this.#fd);
  }

  #append(line: string): void {
    writeSync(this.#fd, line);
    this.#lines += 1;
  }

  /** Writes the living entries to a new file that then takes the old one's place. */
  #rewrite(): number {
    const temporary = `${this.#file}.new`;
    const fd = openSync(temporary, 'w', 0o600);
    const lines = [...this.#entries].map(([ino, path]) => `+ ${ino} ${JSON.stringify(path)}\n`);
    if (lines.length > 0) writeSync(fd, lines.join(''));
    renameSync(temporary, this.#file);
    this.#lines = lines.length;
    return fd;
  }
}

/** A line that a crash cut short says nothing; the file that is not there says that all is settled. */
const readJournal = (file: string): Entry[] => {
  const entries = new Map<string, string>();
  for (const line of readText(file).split('\n')) {
    const [, sign, ino, path] = /^([+-]) (\d+)(?: (".*"))?$/.exec(line) ?? [];
    if (ino === undefined) continue;
    if (sign === '-') entries.delete(ino);
    else entries.set(ino, parsePath(path));
  }
  return [...entries].map(([ino, path]) => ({ ino, path }));
};

const readText = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
};

const parsePath = (json: string | undefined): string => {
  try {
    return String(JSON.parse(json ?? '""'));
  } catch {
    return '';
  }
};
