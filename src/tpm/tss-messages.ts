/**
 * What tss.ts and its worker thread say to each other. Requests are answered strictly in order, so
 * that no answer needs to say which request it belongs to.
 */
import type { MessagePort } from 'node:worker_threads';
import { countDigests, digestValuesBytes, writeDigestValues } from './digest-values.js';
import type { Bank } from './pcr-banks.js';
import type { Tcti } from './tcti.js';
import type { ExtendOrder } from './tpm.js';

export type TssRequest =
  /** Connect, again if need be, to a TPM with these banks; empty: with whatever it has. */
  | { readonly kind: 'open'; readonly algorithms: readonly string[] }
  | { readonly kind: 'extend'; readonly orders: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'read'; readonly pcr: number }
  | { readonly kind: 'reset-count' }
  | { readonly kind: 'resume' }
  | { readonly kind: 'disconnect' };

export type TssReply =
  /** The next `count` orders are done. */
  | { readonly kind: 'extended'; readonly count: number }
  | { readonly kind: 'opened'; readonly algorithms: readonly string[] }
  | { readonly kind: 'values'; readonly values: readonly (readonly [string, Uint8Array])[] }
  | { readonly kind: 'reset-count'; readonly count: number }
  | { readonly kind: 'resumed' }
  | { readonly kind: 'disconnected' }
  /** The next order or request failed: the journal took nothing ... */
  | { readonly kind: 'journal-failed'; readonly code: string }
  /** ... or the TPM did not do it. */
  | { readonly kind: 'tpm-failed'; readonly message: string; readonly rc: number }
  /** The thread came back from a TPM that was given up, and knows of no request any more. */
  | { readonly kind: 'returned' };

export interface TssWorkerData {
  readonly tcti: string;
  readonly tctiKind: Tcti['kind'];
  readonly port: MessagePort;
  /** Int32Array over it: [STATE], [FINISHED]. */
  readonly shared: ArrayBufferLike;
}

/** Index of what the thread is doing. */
export const STATE = 0;
/** Index of how many orders and requests were done, answered or not. */
export const FINISHED = 1;
export const SHARED_BYTES = 8;

export const IDLE = 0;
/** Writing the journal: it is waited for without end, as is every disk. */
export const JOURNALLING = 1;
/** Inside tpm2-tss. */
export const IN_TPM = 2;
/** Set by tss.ts in place of IN_TPM: touch nothing more, neither journal nor TPM. */
export const GIVEN_UP = 3;

/** pcr, fd, length of the journal's bytes. */
const HEADER_BYTES = 12;

/** An order in the block that a message carries. */
export interface PackedOrder {
  readonly pcr: number;
  readonly fd: number;
  readonly journalOffset: number;
  readonly journalBytes: number;
  /** TPML_DIGEST_VALUES begins there. */
  readonly digestsOffset: number;
  readonly end: number;
}

/** One block for many orders: structured clones of small arrays would cost as much as an extend. */
export const packOrders = (
  orders: readonly ExtendOrder[],
  banks: readonly Bank[],
): Uint8Array<ArrayBuffer> => {
  const fixed = HEADER_BYTES + digestValuesBytes(banks.length);
  const size = orders.reduce((sum, { journal }) => sum + fixed + journal.bytes.length, 0);
  const block = new Uint8Array(size);
  const view = new DataView(block.buffer);
  let offset = 0;
  for (const { pcr, digests, journal } of orders) {
    view.setUint32(offset, pcr);
    view.setUint32(offset + 4, journal.fd);
    view.setUint32(offset + 8, journal.bytes.length);
    writeDigestValues(block, offset + HEADER_BYTES, banks, digests);
    block.set(journal.bytes, offset + fixed);
    offset += fixed + journal.bytes.length;
  }
  return block;
};

export const unpackOrder = (view: DataView, offset: number): PackedOrder => {
  const journalBytes = view.getUint32(offset + 8);
  const digestsOffset = offset + HEADER_BYTES;
  const journalOffset = digestsOffset + digestValuesBytes(countDigests(view, digestsOffset));
  return {
    pcr: view.getUint32(offset),
    fd: view.getUint32(offset + 4),
    journalOffset,
    journalBytes,
    digestsOffset,
    end: journalOffset + journalBytes,
  };
};
