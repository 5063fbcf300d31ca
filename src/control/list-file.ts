/**
 * The list files: ascii_runtime_measurements, binary_runtime_measurements and their twins for each
 * bank, and `pcrs_BANK`. Readers such as Keylime's agent keep one descriptor, and read on where they
 * stopped: offsets are stable, and entries added later appear on descriptors opened before.
 */
import { type OpenFile, snapshot } from './virtual-file.js';

export type ListForm = 'ascii' | 'binary';

/** Banks a list is shown in; the kernel shows one for each bank of its TPM. */
export const LIST_BANKS = ['sha1', 'sha256', 'sha384', 'sha512'] as const;
export type ListBank = (typeof LIST_BANKS)[number];

/** A measurement list as bytes; what stands at an offset never changes. */
export interface ListBytes {
  readonly count: number;
  readonly violations: number;
  /** At most `size` bytes from byte `offset` on, none beyond the end. */
  read(form: ListForm, bank: ListBank, offset: number, size: number): Uint8Array;
}

/** The list of a namespace, and the PCRs it goes to. */
export interface ListView {
  /** As it is now; another one once it began anew, undefined while it cannot be had. */
  readonly current: ListBytes | undefined;
  /** Values by PCR, none of a bank that the TPM has not. Rejects where the TPM does not answer. */
  pcrValues(bank: ListBank): Promise<ReadonlyMap<number, Uint8Array>>;
  /** As `tpm` shows it. */
  readonly tpm: { readonly name: string } | undefined;
}

export const openList =
  (form: ListForm, bank: ListBank): OpenFile =>
  ({ namespace, parts }) => {
    const list = parts.listOf(namespace)?.current;
    return { read: (offset, size) => list?.read(form, bank, offset, size) ?? new Uint8Array() };
  };

/** `PCR-10: HEX` for each PCR, as evmctl's --pcrs wants it. */
export const openPcrs =
  (bank: ListBank): OpenFile =>
  ({ namespace, parts }) => {
    let text: Promise<string> | undefined;
    const show = async (): Promise<string> => {
      const values =
        (await parts.listOf(namespace)?.pcrValues(bank)) ?? new Map<number, Uint8Array>();
      return [...values].map(([pcr, value]) => `${line(pcr, value)}\n`).join('');
    };
    return {
      read: async (offset, size) => {
        text ??= show();
        return snapshot(await text).read?.(offset, size) ?? new Uint8Array();
      },
    };
  };

const line = (pcr: number, value: Uint8Array): string =>
  `PCR-${String(pcr).padStart(2, '0')}: ${Buffer.from(value).toString('hex').toUpperCase()}`;
