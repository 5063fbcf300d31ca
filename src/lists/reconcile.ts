/**
 * A list and its PCRs after a crash or a lost connection: how many of the entries the PCRs have. Each
 * entry is journalled before it is extended, so that the journal is never behind.
 */
import { bankHash } from '../ima/digest/bank-hash.js';
import type { HashAlgorithm } from '../ima/ports.js';
import type { PcrValues, Tpm } from '../tpm/tpm.js';
import type { MeasurementList } from './measurement-list.js';

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

/** Extends what the TPM lacks from position `from` on; rejects with TpmFailed. */
export const extendFrom = async (
  list: MeasurementList,
  tpm: Tpm,
  from: number,
): Promise<number> => {
  const orders: { pcr: number; digests: Uint8Array[] }[] = [];
  list.forEach(from, (record) => {
    const digests = tpm.banks.map((bank) => Uint8Array.from(record.extension(bank)));
    orders.push({ pcr: record.pcr, digests });
  });
  const journal = { fd: list.descriptor, bytes: new Uint8Array() };
  await Promise.all(orders.map((order) => tpm.extend({ ...order, journal })));
  return orders.length;
};

const tracksOf = (actual: PcrValues): [HashAlgorithm, Track][] =>
  [...actual].map(([bank, bytes]) => {
    const value = new Uint8Array(bytes.length);
    const known = Buffer.from(bytes);
    return [bank, { value, actual: known, isEqual: known.equals(value) }];
  });
