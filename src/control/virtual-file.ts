/**
 * What an open of a control file is: a few functions, chosen at OPEN together with the namespace they
 * work on. tree.ts answers for what is left out: reading and writing fail with EACCES at OPEN.
 */
import type { ErrnoName } from '../base/errno.js';
import type { Caller } from '../binding/addon-types.js';
import type { Namespace } from '../namespaces/namespace.js';
import type { ControlParts } from './parts.js';

export interface VirtualFile {
  /** At most `size` bytes from `offset` on; none at the end. */
  read?(offset: number, size: number): Uint8Array;
  /** One write(2), its offset ignored: the bytes taken, or the error. */
  write?(data: Uint8Array, caller: Caller): Promise<number | ErrnoName>;
  /** At each close(2) of a descriptor of this open. */
  flush?(caller: Caller): Promise<ErrnoName | undefined>;
  /** After the last descriptor of this open is gone. */
  release?(): void;
  /** For files that can be waited for: whether there is something new to read. */
  isReadable?(): boolean;
  /** Calls `listener` when that may have changed, until the returned function is called. */
  watch?(listener: () => void): () => void;
}

export interface OpenContext {
  /** The namespace this open shows or changes, fixed for its life. */
  readonly namespace: Namespace;
  readonly caller: Caller;
  readonly parts: ControlParts;
}

export type OpenFile = (context: OpenContext) => VirtualFile | ErrnoName;

/** A file whose content is fixed when it is opened. */
export const snapshot = (text: string): VirtualFile => {
  const bytes = Buffer.from(text);
  return { read: (offset, size) => bytes.subarray(offset, offset + size) };
};

/** Objects as JSON lines. */
export const jsonLines = (entries: readonly object[]): string =>
  entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
