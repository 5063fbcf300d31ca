/** The journal of a measurement list: whole entries or nothing. */
import { fstatSync, ftruncateSync, writeSync } from 'node:fs';
import { errnoOf } from '../base/errno.js';
import { JournalFailed } from './tpm.js';

/**
 * Appends all of `bytes`, or throws JournalFailed and leaves the file as long as it was. `fd` is open
 * with O_APPEND and nobody else writes the file: what was written of a failed entry is its end.
 */
export const appendToJournal = (fd: number, bytes: Uint8Array): void => {
  let written = 0;
  try {
    while (written < bytes.length) {
      written += writeSync(fd, bytes, written, bytes.length - written);
    }
  } catch (error) {
    if (written > 0) takeBack(fd, written);
    throw new JournalFailed(errnoOf(error) ?? 'EIO', { cause: error });
  }
};

const takeBack = (fd: number, written: number): void => {
  try {
    ftruncateSync(fd, fstatSync(fd).size - written);
  } catch {
    // A medium that fails twice: the part of an entry stays, and whoever reads the journal next finds
    // and drops it, as after a power cut. The failure to report is that of the write.
  }
};
