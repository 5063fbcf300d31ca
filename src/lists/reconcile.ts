/**
 * A list and its PCRs after a crash or a lost connection: how many of the entries the PCRs have. Each
 * entry is journalled before it is extended, so that the journal is never behind.
 */
import { bankHash } from '../ima/digest/bank-hash.js';
import type { ListEntry } from '../ima/list/entry.js';
import type { HashAlgorithm } from '../ima/ports.js';
import type { ExtendOrder, PcrValues, Tpm } from '../tpm/tpm.js';
import type { MeasurementList } from './measurement-list.js';
import { encodeRecord, Record } from './record.js';

/** Entries taken from the journal together: a long list is never in memory as a whole. */
const BATCH = 1024;

/** Where a PCR of one bank stands, and where the TPM says it is. */
interface Track {
  value: Uint8Array;
  readonly actual: Buffer;
  isEqual: boolean;
}

/** How many entries the TPM has; undefined: its values are those of no beginning of the list. */
export const entriesInTpm = async (
  list: MeasurementList,
  tpm: Tpm,
  pcr: number,
): Promise<number | undefined> => {
  const tracks = new Map<string, Track>();
  let different = 0;
  for (const one of new Set([pcr, ...list.pcrs])) {
    const actual = await tpm.read(one);
    for (const [bank, track] of tracksOf(actual)) {
      tracks.set(`${one} ${bank}`, track);
      if (!track.isEqual) different += 1;
    }
  }
  let position = 0;
  let found = different === 0 ? 0 : undefined;
  list.forEach(0, (record) => {
    if (found !== undefined) return;
    for (const bank of tpm.banks) {
      const track = tracks.get(`${record.pcr} ${bank}`);
      if (track === undefined) continue;
      const was = track.isEqual;
      track.value = bankHash(bank, Buffer.concat([track.value, record.extension(bank)]));
      track.isEqual = track.actual.equals(track.value);
      different += Number(was) - Number(track.isEqual);
    }
    position += 1;
    if (different === 0) found = position;
  });
  return found;
};

/** Adds an entry to a list that nobody else adds to. Rejects with JournalFailed or TpmFailed. */
export const extendEntry = async (
  list: MeasurementList,
  tpm: Tpm,
  entry: ListEntry,
): Promise<void> => {
  const bytes = encodeRecord(entry);
  const record = new Record(bytes, 0);
  const digests = tpm.banks.map((bank) => record.extension(bank));
  await tpm.extend({ pcr: entry.pcr, digests, journal: { fd: list.descriptor, bytes } });
  list.appended(bytes);
};

/** Extends what the TPM lacks from position `from` on; rejects with TpmFailed at the first that fails. */
export const extendFrom = async (
  list: MeasurementList,
  tpm: Tpm,
  from: number,
): Promise<number> => {
  const journal = { fd: list.descriptor, bytes: new Uint8Array() };
  for (let begin = from; begin < list.count; begin += BATCH) {
    const orders: ExtendOrder[] = [];
    const add = (record: Record): void => {
      const digests = tpm.banks.map((bank) => Uint8Array.from(record.extension(bank)));
      orders.push({ pcr: record.pcr, digests, journal });
    };
    list.forEach(begin, add, begin + BATCH);
    for (const order of orders) await tpm.extend(order);
  }
  return Math.max(0, list.count - from);
};

const tracksOf = (actual: PcrValues): [HashAlgorithm, Track][] =>
  [...actual].map(([bank, bytes]) => {
    const value = new Uint8Array(bytes.length);
    const known = Buffer.from(bytes);
    return [bank, { value, actual: known, isEqual: known.equals(value) }];
  });
