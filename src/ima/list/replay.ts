import { bankHash } from '../digest/bank-hash.js';
import { hashAlgorithmByName } from '../digest/hash-algorithms.js';
import type { HashAlgorithm } from '../ports.js';
import { checkEntries } from './check-entries.js';
import { extendDigest, type ListEntry } from './entry.js';
import type { ShownEntry } from './shown-entry.js';

/** Values of PCRs of one bank, by their numbers. */
export type PcrValues = ReadonlyMap<number, Uint8Array>;

/** What the PCRs hold that a list extended, for each bank; they began as zeros. */
export function replay(
  entries: readonly ListEntry[],
  banks: readonly HashAlgorithm[],
): ReadonlyMap<HashAlgorithm, PcrValues> {
  const replayed = banks.map((bank): [HashAlgorithm, PcrValues] => {
    const values = new Map<number, Uint8Array>();
    for (const entry of entries) {
      const value = values.get(entry.pcr) ?? unextended(bank);
      values.set(entry.pcr, extended(bank, value, entry));
    }
    return [bank, values];
  });
  return new Map(replayed);
}

/** How a list and the value of a PCR go together. Lists are as long as one counts their entries. */
export type Agreement =
  /** The PCR has the list's first `least` entries and no others; the same for all up to `most`. */
  | { readonly kind: 'prefix'; readonly least: number; readonly most: number }
  /** No beginning of the list gives the PCR's value, and this entry's hash is not that of its data. */
  | { readonly kind: 'changed'; readonly entry: ShownEntry }
  /** No beginning of the list gives the PCR's value, and each entry fits its own hash. */
  | { readonly kind: 'none' };

/** Looks for the beginning of a list that gives a PCR its value: the longest, if there are several. */
export function agreement(
  entries: readonly ShownEntry[],
  /** Bank whose hashes the list shows. */
  listBank: HashAlgorithm,
  /** Of the PCR, which may be of another bank. */
  { bank, pcr, value }: { bank: HashAlgorithm; pcr: number; value: Uint8Array },
): Agreement {
  let computed = unextended(bank);
  let found: { least: number; most: number } | undefined;
  let least = 0;
  for (const [index, entry] of entries.entries()) {
    if (entry.pcr !== pcr) continue;
    if (Buffer.compare(computed, value) === 0) found = { least, most: index };
    computed = extended(bank, computed, entry);
    least = index + 1;
  }
  if (Buffer.compare(computed, value) === 0) found = { least, most: entries.length };
  if (found !== undefined) return { kind: 'prefix', ...found };
  const [changed] = checkEntries(entries, listBank);
  return changed === undefined ? { kind: 'none' } : { kind: 'changed', entry: changed.entry };
}

function extended(bank: HashAlgorithm, value: Uint8Array, entry: ListEntry): Uint8Array {
  return bankHash(bank, Buffer.concat([value, extendDigest(bank, entry)]));
}

function unextended(bank: HashAlgorithm): Uint8Array {
  return new Uint8Array(hashAlgorithmByName(bank)?.digestBytes ?? 0);
}
