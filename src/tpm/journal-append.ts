/** The journal of a measurement list: whole entries or nothing. */
import { fstatSync, ftruncateSync, writeSync } from 'node:fs';
import { errnoOf } from '../base/errno.js';
import { JournalFailed } from './tpm.js';

/**
 * Appends `bytes` from `start` to `end`, or throws JournalFailed and leaves the file as long as it was. `fd` is open
 * with O_APPEND and nobody else writes the file: what was written of a failed entry is its end.
 */
export const appendToJournal = (
  fd: number,
  bytes: Uint8Array,
  start = 0,
  end = bytes.length,
): void => {
  let offset = start;
  try {
    while (offset < end) offset += writeSync(fd, bytes, offset, end - offset);
  } catch (error) {
    if (offset > start) takeBack(fd, offset - start);
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
