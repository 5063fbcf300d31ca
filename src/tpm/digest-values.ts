/**
 * TPML_DIGEST_VALUES of tss2_tpm2_types.h: count u32, then entries of hashAlg u16 and 64 bytes, in the
 * machine's byte order. Only as many entries as are counted: tpm2-tss reads no further.
 */
import { endianness } from 'node:os';
import type { Bank } from './pcr-banks.js';

const COUNT_BYTES = 4;
const ALGORITHM_BYTES = 2;
const ENTRY_BYTES = ALGORITHM_BYTES + 64;
const LITTLE = endianness() === 'LE';

export const digestValuesBytes = (count: number): number => COUNT_BYTES + count * ENTRY_BYTES;

export const countDigests = (view: DataView, offset: number): number =>
  view.getUint32(offset, LITTLE);

/** Writes one digest for each bank at `offset`. */
export const writeDigestValues = (
  target: Uint8Array,
  offset: number,
  banks: readonly Bank[],
  digests: readonly Uint8Array[],
): void => {
  const view = new DataView(target.buffer, target.byteOffset);
  view.setUint32(offset, banks.length, LITTLE);
  let entry = offset + COUNT_BYTES;
  banks.forEach(({ id }, index) => {
    view.setUint16(entry, id, LITTLE);
    target.set(digests[index] ?? [], entry + ALGORITHM_BYTES);
    entry += ENTRY_BYTES;
  });
};
