/**
 * What a TPM is to imafs: a few PCRs that can be extended in order and read. Implemented by tpm2-tss
 * (tss.ts) and, where there is no TPM, by software PCRs (software-pcr.ts).
 */
import type { HashAlgorithm } from '../ima/ports.js';

/** PCR values by bank (kernel algorithm name). */
export type PcrValues = ReadonlyMap<HashAlgorithm, Uint8Array>;

export interface ExtendOrder {
  readonly pcr: number;
  /** One digest for each of the TPM's `banks`, in their order: one PCR_Extend command. */
  readonly digests: readonly Uint8Array[];
  /**
   * What is appended to the list's journal right before the PCR is extended, by whoever extends it, so
   * that a crash leaves at most one entry more in the journal than in the PCR.
   */
  readonly journal: { readonly fd: number; readonly bytes: Uint8Array };
}

/** The journal took nothing, and nothing was extended. `code`: of write(2), such as ENOSPC. */
export class JournalFailed extends Error {
  constructor(
    readonly code: string,
    options?: ErrorOptions,
  ) {
    super(`the measurement journal cannot be written: ${code}`, options);
  }
}

/** The entry is in the journal, the PCR was not extended. `rc`: TSS2_RC, 0 where there is none. */
export class TpmFailed extends Error {
  constructor(
    message: string,
    readonly rc: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export interface Tpm {
  /** As the control file `tpm` shows it: none, swtpm:path=/…, device:/dev/tpmrm0. */
  readonly name: string;
  /** Allocated banks whose algorithm imafs can compute, SHA-1 first where there is one. */
  readonly banks: readonly HashAlgorithm[];
  /** PCRs that it has, from 0 on. */
  readonly pcrs: number;
  /**
   * Journals, then extends, in the order of the calls. Rejects with JournalFailed or TpmFailed; after
   * a TpmFailed every order is journalled and fails at once, until `resume`: no later entry is in a PCR
   * that lacks an earlier one.
   */
  extend(order: ExtendOrder): Promise<void>;
  /** Current values of a PCR in all `banks`. Rejects with TpmFailed. */
  read(pcr: number): Promise<PcrValues>;
  /** TPMS_CLOCK_INFO resetCount: another one means that the PCRs began anew. 0 for software PCRs. */
  resetCount(): Promise<number>;
  /** Tries to reach the TPM again, to look at it; rejects with TpmFailed if it cannot be. */
  reconnect(): Promise<void>;
  /** Extends again, from the next order on: the caller has seen to it that none is under way. */
  resume(): Promise<void>;
  /** Ends the connection (and a TPM of our own) after all orders given are done. */
  close(): Promise<void>;
}
