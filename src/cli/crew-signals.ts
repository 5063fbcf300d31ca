const STOP_AT = 0;
const BYTES_AT = 1;

/** What the main thread and its workers tell each other in between, by memory that they share. */
export class CrewSignals {
  private readonly cells: BigInt64Array;

  constructor(readonly shared = new SharedArrayBuffer(2 * BigInt64Array.BYTES_PER_ELEMENT)) {
    this.cells = new BigInt64Array(shared);
  }

  /** No further file is begun, and what is under way is given up, if nothing was written for it yet. */
  stop(): void {
    Atomics.store(this.cells, STOP_AT, 1n);
  }

  get isStopped(): boolean {
    return Atomics.load(this.cells, STOP_AT) !== 0n;
  }

  addBytes(bytes: number): void {
    Atomics.add(this.cells, BYTES_AT, BigInt(bytes));
  }

  /** Of all files so far. */
  get bytes(): number {
    return Number(Atomics.load(this.cells, BYTES_AT));
  }
}
