/**
 * Locks that daemons have by name: files below a directory that only root reaches, since whoever can open
 * a file can lock it. A file is there for as long as somebody has the lock.
 */
import { fstatSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

export interface NamedLockAddon {
  lockFile(path: string): number;
  closeDescriptor(fd: number): void;
}

const DIRECTORY = '/run/imafs';

/** What gives it back, once. Throws with `code` EAGAIN or EWOULDBLOCK where somebody else has it. */
export const takeNamedLock = (name: string, addon: NamedLockAddon): (() => void) => {
  const path = join(DIRECTORY, `${name}.lock`);
  mkdirSync(DIRECTORY, { recursive: true, mode: 0o700 });
  const lock = lockNamed(path, addon);
  let isHeld = true;
  return () => {
    if (!isHeld) return;
    isHeld = false;
    // While it is locked: whoever has it open meanwhile sees that the name leads elsewhere.
    rmSync(path, { force: true });
    addon.closeDescriptor(lock);
  };
};

/** A descriptor of the file that has this name, locked: not of one that was removed meanwhile. */
const lockNamed = (path: string, addon: NamedLockAddon): number => {
  for (;;) {
    const lock = addon.lockFile(path);
    const named = statSync(path, { throwIfNoEntry: false });
    const { dev, ino } = fstatSync(lock);
    if (named?.dev === dev && named.ino === ino) return lock;
    addon.closeDescriptor(lock);
  }
};
