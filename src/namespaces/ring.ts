/** The latest entries of a stream, numbered from 1; old ones go, so one namespace can fill only its own. */
export class Ring<Entry> {
  readonly #entries: Entry[] = [];
  readonly #listeners = new Set<() => void>();
  #added = 0;

  constructor(readonly capacity: number) {}

  add(entry: Entry): void {
    if (this.#entries.length === this.capacity) this.#entries.shift();
    this.#entries.push(entry);
    this.#added += 1;
    for (const listener of this.#listeners) listener();
  }

  /** Oldest first. */
  entries(): readonly Entry[] {
    return this.#entries;
  }

  /** How many were ever added, so also the number of the latest. */
  get added(): number {
    return this.#added;
  }

  /** Calls `listener` after each addition, until the returned function is called. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
