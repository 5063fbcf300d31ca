/**
 * One measurement list: a journal on disk, and in memory no more than where things stand in it. Its two
 * forms are made from the journal when they are read; what stands at an offset never changes.
 */
import { closeSync, fstatSync, ftruncateSync, openSync, readSync } from 'node:fs';
import { hashAlgorithmByName } from '../ima/digest/hash-algorithms.js';
import type { HashAlgorithm } from '../ima/ports.js';
import { DigestIndex } from './digest-index.js';
import { Record } from './record.js';

export type ListForm = 'ascii' | 'binary';

/** Entries that are rendered together. */
const BLOCK = 256;

/** Rendered blocks that are kept for who reads on. */
const KEPT_BLOCKS = 4;

/** Read from the journal at once when it is gone through. */
const SCAN_BYTES = 1024 * 1024;

/** Before the digest: two figures of the PCR and a space; four bytes of the PCR. */
const HEAD_BYTES = { ascii: 3, binary: 4 } as const;

/** Where the first entry of a block stands: in the journal, and in both forms but for the digests. */
interface BlockStart {
  readonly journal: number;
  readonly ascii: number;
  readonly binary: number;
}

interface Rendered {
  readonly form: ListForm;
  readonly bank: HashAlgorithm;
  readonly block: number;
  /** Where the block ended in the journal when it was rendered. */
  readonly end: number;
  readonly bytes: Buffer;
}

export class MeasurementList {
  readonly #digests = new DigestIndex();
  readonly #blocks: BlockStart[] = [];
  readonly #pcrs = new Set<number>();
  #end = { journal: 0, ascii: 0, binary: 0 };
  #violations = 0;
  #rendered: readonly Rendered[] = [];
  #fd: number;

  /** Opens or makes the journal; what a crash cut short at its end is dropped. Throws as open(2). */
  constructor(file: string) {
    this.#fd = openSync(file, 'a+', 0o600);
    this.#scan(0, Number.POSITIVE_INFINITY, (record) => this.#index(record));
    if (fstatSync(this.#fd).size > this.#end.journal) ftruncateSync(this.#fd, this.#end.journal);
  }

  get count(): number {
    return this.#digests.length;
  }

  get violations(): number {
    return this.#violations;
  }

  /** The journal's descriptor, which is appended to by whoever extends the PCR. */
  get descriptor(): number {
    return this.#fd;
  }

  /** PCRs that its entries went to. */
  get pcrs(): readonly number[] {
    return [...this.#pcrs];
  }

  /** A record that now stands at the journal's end. */
  appended(bytes: Buffer): void {
    this.#index(new Record(bytes, 0));
  }

  /** Position of the entry with this template hash in this PCR. */
  find(sha256: Uint8Array, pcr: number): number | undefined {
    return this.#digests.find(sha256, pcr);
  }

  /** All entries from position `from` on, in order. */
  forEach(from: number, visit: (record: Record) => void): void {
    let position = Math.floor(from / BLOCK) * BLOCK;
    const start = this.#blocks[position / BLOCK]?.journal ?? this.#end.journal;
    this.#scan(start, this.#end.journal, (record) => {
      if (position >= from) visit(record);
      position += 1;
    });
  }

  /** At most `size` bytes of a form from `offset` on; none beyond the end, nor once it is closed. */
  read(form: ListForm, bank: HashAlgorithm, offset: number, size: number): Uint8Array {
    const parts: Buffer[] = [];
    let at = offset;
    let left = size;
    for (let block = this.#blockAt(form, bank, offset); left > 0; block += 1) {
      const bytes = this.#render(form, bank, block);
      if (bytes === undefined) break;
      const from = at - this.#startOf(form, bank, block);
      const part = bytes.subarray(from, from + left);
      parts.push(part);
      at += part.length;
      left -= part.length;
    }
    return parts.length === 1 ? (parts[0] ?? new Uint8Array()) : Buffer.concat(parts);
  }

  close(): void {
    if (this.#fd === -1) return;
    closeSync(this.#fd);
    this.#fd = -1;
    this.#rendered = [];
  }

  #index(record: Record): void {
    if (this.count % BLOCK === 0) this.#blocks.push({ ...this.#end });
    this.#digests.add(record.sha256, record.pcr, !record.isViolation);
    this.#pcrs.add(record.pcr);
    if (record.isViolation) this.#violations += 1;
    this.#end.journal += record.length;
    this.#end.ascii += HEAD_BYTES.ascii + record.asciiBody.length;
    this.#end.binary += HEAD_BYTES.binary + record.binaryBody.length;
  }

  /** Visits the whole records of the journal between two offsets. */
  #scan(from: number, to: number, visit: (record: Record) => void): void {
    let bytes = Buffer.alloc(0);
    for (let at = from; at < to; ) {
      const most = Math.min(SCAN_BYTES, to - at);
      const more = Buffer.allocUnsafe(most);
      const got = readSync(this.#fd, more, 0, most, at);
      at += got;
      bytes = Buffer.concat([bytes, more.subarray(0, got)]);
      let taken = 0;
      for (let record = new Record(bytes, 0); record.isWhole; record = new Record(bytes, taken)) {
        visit(record);
        taken += record.length;
      }
      bytes = bytes.subarray(taken);
      if (got === 0) return;
    }
  }

  #startOf(form: ListForm, bank: HashAlgorithm, block: number): number {
    const start = this.#blocks[block]?.[form] ?? this.#end[form];
    const entries = Math.min(block * BLOCK, this.count);
    return start + entries * digestLength(form, bank);
  }

  /** The block that an offset falls into. */
  #blockAt(form: ListForm, bank: HashAlgorithm, offset: number): number {
    let low = 0;
    let high = this.#blocks.length;
    while (low + 1 < high) {
      const middle = (low + high) >>> 1;
      if (this.#startOf(form, bank, middle) <= offset) low = middle;
      else high = middle;
    }
    return low;
  }

  /** A block in one form; undefined beyond the last. */
  #render(form: ListForm, bank: HashAlgorithm, block: number): Buffer | undefined {
    const start = this.#blocks[block];
    if (start === undefined || this.#fd === -1) return undefined;
    const end = this.#blocks[block + 1]?.journal ?? this.#end.journal;
    const isSame = (one: Rendered): boolean =>
      one.form === form && one.bank === bank && one.block === block && one.end === end;
    const known = this.#rendered.find(isSame);
    if (known !== undefined) return known.bytes;
    const length = this.#startOf(form, bank, block + 1) - this.#startOf(form, bank, block);
    const bytes = this.#renderRange(form, bank, start.journal, end, length);
    this.#rendered = [{ form, bank, block, end, bytes }, ...this.#rendered].slice(0, KEPT_BLOCKS);
    return bytes;
  }

  #renderRange(
    form: ListForm,
    bank: HashAlgorithm,
    from: number,
    to: number,
    length: number,
  ): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    let at = 0;
    this.#scan(from, to, (record) => {
      const digest = record.digest(bank);
      if (form === 'ascii') {
        const hex = Buffer.from(digest.buffer, digest.byteOffset, digest.length).toString('hex');
        at += bytes.write(`${String(record.pcr).padStart(2)} ${hex}`, at, 'latin1');
        at += record.asciiBody.copy(bytes, at);
      } else {
        at = bytes.writeUInt32LE(record.pcr, at);
        bytes.set(digest, at);
        at += digest.length + record.binaryBody.copy(bytes, at + digest.length);
      }
    });
    return bytes.subarray(0, at);
  }
}

const digestLength = (form: ListForm, bank: HashAlgorithm): number =>
  (hashAlgorithmByName(bank)?.digestBytes ?? 0) * (form === 'ascii' ? 2 : 1);
