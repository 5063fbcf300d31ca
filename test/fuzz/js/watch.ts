/** What the thread that fuzzes shows to the one that watches it: which input it is at. */
/** Targets have shorter ones. */
const MOST_BYTES = 64 * 1024;

/** How many inputs were begun, and the length of the latest. */
const HEAD_INTS = 2;

export class Watch {
  readonly #head: Int32Array;
  readonly #input: Uint8Array;

  constructor(
    readonly shared = new SharedArrayBuffer(HEAD_INTS * Int32Array.BYTES_PER_ELEMENT + MOST_BYTES),
  ) {
    this.#head = new Int32Array(shared, 0, HEAD_INTS);
    this.#input = new Uint8Array(shared, this.#head.byteLength);
  }

  begin(input: Uint8Array): void {
    this.#input.set(input);
    this.#head[1] = input.length;
    Atomics.add(this.#head, 0, 1);
  }

  get begun(): number {
    return Atomics.load(this.#head, 0);
  }

  get input(): Uint8Array {
    return this.#input.slice(0, this.#head[1]);
  }
}
