/**
 * What tss.ts and its worker thread say to each other. Requests are answered strictly in order, so
 * that no answer needs to say which request it belongs to.
 */
import type { MessagePort } from 'node:worker_threads';
import type { Tcti } from './tcti.js';
import type { ExtendOrder } from './tpm.js';

export type TssRequest =
  /** Connect, again if need be. */
  | { readonly kind: 'open' }
  | { readonly kind: 'extend'; readonly orders: ArrayBuffer }
  | { readonly kind: 'read'; readonly pcr: number }
  | { readonly kind: 'reset-count' }
  | { readonly kind: 'disconnect' };

export type TssReply =
  /** The next `count` orders are done. */
  | { readonly kind: 'extended'; readonly count: number }
  | { readonly kind: 'opened'; readonly algorithms: readonly string[] }
  | { readonly kind: 'values'; readonly values: readonly (readonly [string, Uint8Array])[] }
  | { readonly kind: 'reset-count'; readonly count: number }
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

const sizeOf = ({ journal, digests }: ExtendOrder): number =>
  HEADER_BYTES + digests.reduce((sum, digest) => sum + digest.length, journal.bytes.length);

/** One block for many orders: structured clones of small arrays would cost more than an extend. */
export const packOrders = (orders: readonly ExtendOrder[]): ArrayBuffer => {
  const block = new ArrayBuffer(orders.reduce((sum, order) => sum + sizeOf(order), 0));
  const bytes = new Uint8Array(block);
  const view = new DataView(block);
  let offset = 0;
  for (const { pcr, digests, journal } of orders) {
    view.setUint32(offset, pcr);
    view.setUint32(offset + 4, journal.fd);
    view.setUint32(offset + 8, journal.bytes.length);
    offset += HEADER_BYTES;
    for (const part of [...digests, journal.bytes]) {
      bytes.set(part, offset);
      offset += part.length;
    }
  }
  return block;
};

/** Lengths of the digests are those of the banks. The arrays are views of `block`. */
export function* unpackOrders(
  block: ArrayBuffer,
  digestBytes: readonly number[],
): Generator<ExtendOrder> {
  const view = new DataView(block);
  let offset = 0;
  const take = (length: number): Uint8Array => {
    offset += length;
    return new Uint8Array(block, offset - length, length);
  };
  while (offset < block.byteLength) {
    const pcr = view.getUint32(offset);
    const fd = view.getUint32(offset + 4);
    const length = view.getUint32(offset + 8);
    offset += HEADER_BYTES;
    const digests = digestBytes.map(take);
    yield { pcr, digests, journal: { fd, bytes: take(length) } };
  }
}
