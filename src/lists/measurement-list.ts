/**
 * One measurement list: a journal on disk, and in memory no more than where things stand in it. Its two
 * forms are made from the journal when they are read; what stands at an offset never changes.
 */
import { closeSync, fstatSync, ftruncateSync, openSync } from 'node:fs';
import { hashAlgorithmByName } from '../ima/digest/hash-algorithms.js';
import type { HashAlgorithm } from '../ima/ports.js';
import { DigestIndex } from './digest-index.js';
import { Record } from './record.js';
import { visitRecords } from './visit-records.js';

export type ListForm = 'ascii' | 'binary';

/** Entries that are rendered together. */
const BLOCK = 256;

/** Rendered blocks that are kept for who reads on. */
const KEPT_BLOCKS = 4;

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
  #kept: readonly Rendered[] = [];
  #fd: number;

  /** Opens or makes the journal; what a crash cut short at its end is dropped. Throws as open(2). */
  constructor(file: string) {
    this.#fd = openSync(file, 'a+', 0o600);
    visitRecords(this.#fd, 0, Number.POSITIVE_INFINITY, (record) => this.#index(record));
    // What a crash cut short.
    if (this.isTorn()) ftruncateSync(this.#fd, this.#end.journal);
  }

  get count(): number {
    return this.#digests.length;
  }

  /** Of its journal. */
  get bytes(): number {
    return this.#end.journal;
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

  /** Whether something else than its entries stands in the journal, while nobody adds any. */
  isTorn(): boolean {
    return fstatSync(this.#fd).size !== this.#end.journal;
  }

  /** Position of the entry with this template hash in this PCR. */
  find(sha256: Uint8Array, pcr: number): number | undefined {
    return this.#digests.find(sha256, pcr);
  }

  /** Entries from position `from` to before `to`, in order. */
  forEach(from: number, visit: (record: Record) => void, to = this.count): void {
    let position = Math.floor(from / BLOCK) * BLOCK;
    const start = this.#blocks[position / BLOCK]?.journal ?? this.#end.journal;
    const end = this.#endInJournal(Math.floor((to - 1) / BLOCK));
    visitRecords(this.#fd, start, end, (record) => {
      if (position >= from && position < to) visit(record);
      position += 1;
    });
  }

  /** At most `size` bytes of a form from `offset` on; none beyond the end, nor once it is closed. */
  read(form: ListForm, bank: HashAlgorithm, offset: number, size: number): Uint8Array {
    const first = this.#blockAt(form, bank, offset);
    const end = Math.min(offset + size, this.#startOf(form, bank, this.#blocks.length));
    if (this.#fd === -1 || offset >= end) return new Uint8Array();
    // Zeroed: of a journal that was cut behind our back nothing else may be shown.
    const target = Buffer.alloc(end - offset);
    for (let block = first; this.#startOf(form, bank, block) < end; block += 1) {
      const at = this.#startOf(form, bank, block) - offset;
      const isWhole = at >= 0 && this.#startOf(form, bank, block + 1) <= end;
      if (isWhole) this.#render(form, bank, block, target, at);
      else this.#rendered(form, bank, block).copy(target, Math.max(at, 0), Math.max(-at, 0));
    }
    return target;
  }

  close(): void {
    if (this.#fd === -1) return;
    closeSync(this.#fd);
    this.#fd = -1;
    this.#kept = [];
  }

  #index(record: Record): void {
    if (this.count % BLOCK === 0) this.#blocks.push({ ...this.#end });
    this.#digests.add(record.sha256, record.pcr, !record.isViolation);
    this.#pcrs.add(record.pcr);
    if (record.isViolation) this.#violations += 1;
    this.#end.journal += record.length;
    this.#end.ascii += HEAD_BYTES.ascii + record.asciiLength;
    this.#end.binary += HEAD_BYTES.binary + record.binaryLength;
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

  /** A block that is read in pieces, or that is not full yet. */
  #rendered(form: ListForm, bank: HashAlgorithm, block: number): Buffer {
    const end = this.#endInJournal(block);
    const isSame = (one: Rendered): boolean =>
      one.form === form && one.bank === bank && one.block === block && one.end === end;
    const known = this.#kept.find(isSame);
    if (known !== undefined) return known.bytes;
    const length = this.#startOf(form, bank, block + 1) - this.#startOf(form, bank, block);
    const bytes = Buffer.alloc(length);
    this.#render(form, bank, block, bytes, 0);
    this.#kept = [{ form, bank, block, end, bytes }, ...this.#kept].slice(0, KEPT_BLOCKS);
    return bytes;
  }

  #render(form: ListForm, bank: HashAlgorithm, block: number, target: Buffer, start: number): void {
    let at = start;
    const from = this.#blocks[block]?.journal ?? this.#end.journal;
    visitRecords(this.#fd, from, this.#endInJournal(block), (record) => {
      at =
        form === 'ascii'
          ? record.writeAscii(bank, target, at)
          : record.writeBinary(bank, target, at);
    });
  }

  #endInJournal(block: number): number {
    return this.#blocks[block + 1]?.journal ?? this.#end.journal;
  }
}

const digestLength = (form: ListForm, bank: HashAlgorithm): number =>
  (hashAlgorithmByName(bank)?.digestBytes ?? 0) * (form === 'ascii' ? 2 : 1);
