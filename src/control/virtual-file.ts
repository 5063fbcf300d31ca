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
  read?(offset: number, size: number): Uint8Array | Promise<Uint8Array>;
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
  /** Opened in the directory at the top, which all namespaces share. */
  readonly atTop: boolean;
  readonly parts: ControlParts;
}

export type OpenFile = (context: OpenContext) => VirtualFile | ErrnoName;

/** A file whose content is fixed when it is opened. */
export const snapshot = (text: string): VirtualFile => {
  const bytes = Buffer.from(text);
  return { read: (offset, size) => bytes.subarray(offset, offset + size) };
};

/** Rendered once for all opens that show an entry: many opens of a long file must not cost its size each. */
const rendered = new WeakMap<object, Buffer>();

/** Entries that never change, a line each as `show` gives it. */
export const linesOf = <Entry extends object>(
  entries: readonly Entry[],
  show: (entry: Entry) => string,
): Buffer[] =>
  entries.map((entry) => {
    const line = rendered.get(entry) ?? Buffer.from(`${show(entry)}\n`);
    rendered.set(entry, line);
    return line;
  });

/** At most `size` bytes from `offset` on of what the lines are together. */
export const bytesAt = (lines: readonly Buffer[], offset: number, size: number): Uint8Array => {
  const parts: Buffer[] = [];
  let start = 0;
  for (const line of lines) {
    if (start >= offset + size) break;
    parts.push(line.subarray(Math.max(0, offset - start), offset + size - start));
    start += line.length;
  }
  return Buffer.concat(parts);
};

/** A file of such lines, fixed when it is opened. */
export const snapshotOfLines = (lines: readonly Buffer[]): VirtualFile => ({
  read: (offset, size) => bytesAt(lines, offset, size),
});
