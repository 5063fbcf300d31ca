/**
 * The list files: ascii_runtime_measurements, binary_runtime_measurements and their twins for each
 * bank. Readers such as Keylime's agent keep one descriptor, and read on where they stopped: offsets
 * are stable, and entries added later appear on descriptors opened before.
 */
import type { OpenFile } from './virtual-file.js';

export type ListForm = 'ascii' | 'binary';

/** Banks a list is shown in; the kernel shows one for each bank of its TPM. */
export const LIST_BANKS = ['sha1', 'sha256'] as const;
export type ListBank = (typeof LIST_BANKS)[number];

/** A measurement list as bytes; what stands at an offset never changes. */
export interface MeasurementList {
  readonly count: number;
  readonly violations: number;
  /** At most `size` bytes from byte `offset` on, none beyond the end. */
  read(form: ListForm, bank: ListBank, offset: number, size: number): Uint8Array;
}

/** The list of a namespace that has measured nothing. */
export const EMPTY_LIST: MeasurementList = {
  count: 0,
  violations: 0,
  read: () => new Uint8Array(),
};

export const openList =
  (form: ListForm, bank: ListBank): OpenFile =>
  ({ namespace, parts }) => {
    const list = parts.listOf(namespace);
    return { read: (offset, size) => list.read(form, bank, offset, size) };
  };
