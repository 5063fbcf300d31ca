import type { HashAlgorithm } from '../ports.js';
import { templateHash } from './entry.js';
import type { ShownEntry } from './shown-entry.js';

/** An entry whose hash in the list is not that of its data. */
export interface MisfitEntry {
  readonly entry: ShownEntry;
  /** The hash of its data. */
  readonly computed: Uint8Array;
}

/**
 * The entries of a bank's list whose hash does not fit: somebody changed the data or the hash. The
 * zeros of a violation fit any data, as it is not the data that the PCR was extended with.
 */
export function checkEntries(entries: readonly ShownEntry[], bank: HashAlgorithm): MisfitEntry[] {
  return entries.flatMap((entry) => {
    if (entry.isViolation) return [];
    const computed = templateHash(bank, entry);
    return Buffer.compare(computed, entry.digest) === 0 ? [] : [{ entry, computed }];
  });
}
