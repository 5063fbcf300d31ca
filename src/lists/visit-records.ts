/** Goes through a journal. */
import { readSync } from 'node:fs';
import { Record } from './record.js';

/**
 * What is read at once. It is there once for all lists, because what a long list leaves behind when it
 * is read is collected late, and its reader should not cost the daemon the list's size.
 */
const SCRATCH = Buffer.allocUnsafeSlow(256 * 1024);

/** More than a path, a signature and all protected attributes can be, in both forms. */
const MOST_RECORD_BYTES = 4 * 1024 * 1024;

/** Visits the whole records between two offsets; each is good while it is visited. */
export const visitRecords = (
  fd: number,
  from: number,
  to: number,
  visit: (record: Record) => void,
): void => {
  let bytes = SCRATCH;
  let kept = 0;
  for (let at = from; at < to; ) {
    // A record that is longer.
    if (kept === bytes.length) bytes = Buffer.concat([bytes], kept * 2);
    const got = readSync(fd, bytes, kept, Math.min(bytes.length - kept, to - at), at);
    at += got;
    const taken = visitWhole(bytes.subarray(0, kept + got), visit);
    bytes.copyWithin(0, taken, kept + got);
    kept += got - taken;
    // At the end, or at what is no record: nothing that follows can be told apart.
    if (got === 0 || kept > MOST_RECORD_BYTES) return;
  }
};

/** How many of the bytes are whole records. */
const visitWhole = (bytes: Buffer, visit: (record: Record) => void): number => {
  let taken = 0;
  for (let record = new Record(bytes, 0); record.isWhole; record = new Record(bytes, taken)) {
    visit(record);
    taken += record.length;
  }
  return taken;
};
