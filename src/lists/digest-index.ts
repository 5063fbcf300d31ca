/**
 * The template hashes that a list has, so that nothing is added twice (ima_htable). A hundred thousand
 * of them are a few megabytes: digests stand in a row, found by an open hash table of their positions.
 */
import { randomBytes } from 'node:crypto';

const DIGEST_BYTES = 32;
const ROW = 4096;
/** Of the table's places, how many may be used before it grows. */
const MOST_LOAD = 0.7;

export class DigestIndex {
  readonly #rows: Buffer[] = [];
  readonly #pcrs: Buffer[] = [];
  /** Position + 1 of a digest, 0 where a place is free; violations are in no place. */
  #table = new Uint32Array(1024);
  #length = 0;
  #used = 0;
  /** Who may choose digests must not choose their places. */
  readonly #seed = randomBytes(8);

  get length(): number {
    return this.#length;
  }

  /** The next entry's digest; `isFound` false: a violation, which is like no other. */
  add(sha256: Uint8Array, pcr: number, isFound: boolean): void {
    const at = this.#length % ROW;
    if (at === 0) {
      this.#rows.push(Buffer.alloc(ROW * DIGEST_BYTES));
      this.#pcrs.push(Buffer.alloc(ROW));
    }
    this.#rows.at(-1)?.set(sha256, at * DIGEST_BYTES);
    this.#pcrs.at(-1)?.writeUInt8(pcr, at);
    this.#length += 1;
    if (!isFound) return;
    if (this.#used + 1 > this.#table.length * MOST_LOAD) this.#grow();
    this.#used += 1;
    this.#place(this.#length - 1);
  }

  /** The position of the entry with this digest in this PCR, ima_lookup_digest_entry. */
  find(sha256: Uint8Array, pcr: number): number | undefined {
    const mask = this.#table.length - 1;
    for (let place = this.#hash(sha256) & mask; ; place = (place + 1) & mask) {
      const position = (this.#table[place] ?? 0) - 1;
      if (position === -1) return undefined;
      if (this.#pcrAt(position) === pcr && this.#at(position).equals(sha256)) return position;
    }
  }

  #place(position: number): void {
    const mask = this.#table.length - 1;
    let place = this.#hash(this.#at(position)) & mask;
    while (this.#table[place] !== 0) place = (place + 1) & mask;
    this.#table[place] = position + 1;
  }

  #grow(): void {
    const old = this.#table;
    this.#table = new Uint32Array(old.length * 2);
    for (const place of old) if (place !== 0) this.#place(place - 1);
  }

  #at(position: number): Buffer {
    const at = (position % ROW) * DIGEST_BYTES;
    const row = this.#rows[Math.floor(position / ROW)] ?? Buffer.alloc(0);
    return row.subarray(at, at + DIGEST_BYTES);
  }

  #pcrAt(position: number): number | undefined {
    return this.#pcrs[Math.floor(position / ROW)]?.[position % ROW];
  }

  #hash(digest: Uint8Array): number {
    const words = Buffer.from(digest.buffer, digest.byteOffset, digest.length);
    const low = Math.imul(words.readInt32LE(0) ^ this.#seed.readInt32LE(0), 0x9e3779b1);
    const high = Math.imul(words.readInt32LE(4) ^ this.#seed.readInt32LE(4), 0x85ebca6b);
    const mixed = low ^ high;
    return (mixed ^ (mixed >>> 15)) >>> 0;
  }
}
