/**
 * `denials`: the latest refusals, as they are at open. `events`: what happened to the namespace, from
 * the oldest kept on; a reader that came to the end can poll(2) for more.
 */
import type { NamespaceEvent } from '../namespaces/namespace.js';
import type { Ring } from '../namespaces/ring.js';
import {
  bytesAt,
  linesOf,
  type OpenFile,
  snapshotOfLines,
  type VirtualFile,
} from './virtual-file.js';

export const readDenials: OpenFile = ({ namespace }) =>
  snapshotOfLines(linesOf(namespace.denials.entries(), JSON.stringify));

export const readEvents: OpenFile = ({ namespace }) => new EventReader(namespace.events);

/**
 * Reads on from where it stopped, whatever the offset: old events go away below it. What it missed is
 * told by a line `{"event":"lost","detail":{"events":N}}`.
 */
class EventReader implements VirtualFile {
  /** Number of the next event to give out, the first ever being 1. */
  #next: number;
  /** Lines taken from the ring, and how many bytes of them were read. */
  #lines: readonly Buffer[] = [];
  #bytesRead = 0;

  constructor(private readonly events: Ring<NamespaceEvent>) {
    this.#next = this.#oldest();
  }

  read(_offset: number, size: number): Uint8Array {
    if (!this.#hasUnread()) {
      this.#lines = this.#take();
      this.#bytesRead = 0;
    }
    const part = bytesAt(this.#lines, this.#bytesRead, size);
    this.#bytesRead += part.length;
    return part;
  }

  isReadable(): boolean {
    return this.#hasUnread() || this.#next <= this.events.added;
  }

  watch(listener: () => void): () => void {
    return this.events.subscribe(listener);
  }

  #hasUnread(): boolean {
    return this.#bytesRead < this.#lines.reduce((sum, { length }) => sum + length, 0);
  }

  #oldest(): number {
    return this.events.added - this.events.entries().length + 1;
  }

  #take(): Buffer[] {
    const oldest = this.#oldest();
    const lost = Math.max(0, oldest - this.#next);
    const known = this.events.entries().slice(Math.max(0, this.#next - oldest));
    this.#next = this.events.added + 1;
    const gap = { event: 'lost', detail: { events: lost } };
    return linesOf(lost > 0 ? [gap, ...known] : known, JSON.stringify);
  }
}
