/**
 * One entry as the journal of a list has it. What the lists show of it is there as it is shown, so that
 * a list of any length is read from the file and not from memory. Little endian:
 *
 *     u32 length of all, u8 flags, u8 pcr, u16 0, u32 length of the binary body,
 *     SHA-1 and SHA-256 template hash (zeros for a violation), binary body, ascii body
 */
import { bankHash } from '../ima/digest/bank-hash.js';
import { type ListEntry, listDigest } from '../ima/list/entry.js';
import { asciiBody, binaryBody } from '../ima/list/show-entry.js';
import type { HashAlgorithm } from '../ima/ports.js';
import { IMA_TEMPLATE_IMA_NAME } from '../ima/template/template.js';

const VIOLATION = 1;

const SHA1_AT = 12;
const SHA256_AT = SHA1_AT + 20;
const BODY_AT = SHA256_AT + 32;

/** IMA_EVENT_NAME_LEN_MAX + 1 */
const LEGACY_NAME_BYTES = 256;
/** SHA-1 and MD5 */
const LEGACY_DIGEST_BYTES = [20, 16];

const SHA1_PLACE = { from: SHA1_AT, to: SHA256_AT } as const;
const SHA256_PLACE = { from: SHA256_AT, to: BODY_AT } as const;

const SPACE = 0x20;
const DIGIT_0 = 0x30;

/** The two characters of each byte in hexadecimal. */
const HEX = Buffer.from(
  Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0')).join(''),
);

export const encodeRecord = (entry: ListEntry): Buffer => {
  const binary = binaryBody(entry);
  const ascii = Buffer.from(asciiBody(entry), 'latin1');
  const record = Buffer.alloc(BODY_AT + binary.length + ascii.length);
  record.writeUInt32LE(record.length, 0);
  record.writeUInt8(entry.isViolation ? VIOLATION : 0, 4);
  record.writeUInt8(entry.pcr, 5);
  record.writeUInt32LE(binary.length, 8);
  record.set(listDigest('sha1', entry), SHA1_AT);
  record.set(listDigest('sha256', entry), SHA256_AT);
  record.set(binary, BODY_AT);
  record.set(ascii, BODY_AT + binary.length);
  return record;
};

/** A record in the bytes of a journal; makes no copies. */
export class Record {
  readonly length: number;

  /** Check with `isWhole` before anything else is asked. */
  constructor(
    private readonly bytes: Buffer,
    private readonly at: number,
  ) {
    this.length = at + 4 <= bytes.length ? bytes.readUInt32LE(at) : 0;
  }

  /** All of it is there, and its lengths agree. */
  get isWhole(): boolean {
    const { length, at, bytes } = this;
    return length > BODY_AT && at + length <= bytes.length && BODY_AT + this.binaryLength < length;
  }

  get isViolation(): boolean {
    return this.bytes.readUInt8(this.at + 4) === VIOLATION;
  }

  get pcr(): number {
    return this.bytes.readUInt8(this.at + 5);
  }

  get sha256(): Buffer {
    return this.#slice(SHA256_AT, BODY_AT);
  }

  /** Of what follows the digest in binary lists. */
  get binaryLength(): number {
    return this.bytes.readUInt32LE(this.at + 8);
  }

  get asciiLength(): number {
    return this.length - BODY_AT - this.binaryLength;
  }

  /** Writes what a bank's binary list shows at `at` of `target`; where that ends. */
  writeBinary(bank: HashAlgorithm, target: Buffer, at: number): number {
    let end = target.writeUInt32LE(this.pcr, at);
    const kept = digestPlace(bank);
    if (kept === undefined) {
      const digest = this.digest(bank);
      target.set(digest, end);
      end += digest.length;
    } else {
      end += this.#copy(kept.from, kept.to, target, end);
    }
    return end + this.#copy(BODY_AT, BODY_AT + this.binaryLength, target, end);
  }

  /** Writes the line of a bank's ascii list at `at` of `target`; where it ends. */
  writeAscii(bank: HashAlgorithm, target: Buffer, at: number): number {
    let end = writePcr(this.pcr, target, at);
    const kept = digestPlace(bank);
    if (kept === undefined) {
      const digest = this.digest(bank);
      end = writeHex(digest, 0, digest.length, target, end);
    } else {
      end = writeHex(this.bytes, this.at + kept.from, this.at + kept.to, target, end);
    }
    return end + this.#copy(BODY_AT + this.binaryLength, this.length, target, end);
  }

  /** What a bank's list shows. */
  digest(bank: HashAlgorithm): Uint8Array {
    const kept = digestPlace(bank);
    if (kept !== undefined) return this.#slice(kept.from, kept.to);
    const hash = bankHash(bank, this.#hashedData());
    return this.isViolation ? hash.fill(0) : hash;
  }

  /** What a bank's PCR is extended with. */
  extension(bank: HashAlgorithm): Uint8Array {
    const digest = this.digest(bank);
    return this.isViolation ? new Uint8Array(digest.length).fill(0xff) : digest;
  }

  #copy(from: number, to: number, target: Buffer, at: number): number {
    return this.bytes.copy(target, at, this.at + from, this.at + to);
  }

  #slice(from: number, to: number): Buffer {
    return this.bytes.subarray(this.at + from, this.at + to);
  }

  /** What the template hash is over, ima_calc_field_array_hash. */
  #hashedData(): Uint8Array {
    const body = this.#slice(BODY_AT, BODY_AT + this.binaryLength);
    const nameEnd = 4 + body.readUInt32LE(0);
    if (body.toString('latin1', 4, nameEnd) !== IMA_TEMPLATE_IMA_NAME) {
      return body.subarray(nameEnd + 4);
    }
    // The digest has no length of its own; the name behind it says how long the digest is.
    const fields = body.subarray(nameEnd);
    const digestBytes = LEGACY_DIGEST_BYTES.find(
      (length) =>
        length + 4 <= fields.length && length + 4 + fields.readUInt32LE(length) === fields.length,
    );
    if (digestBytes === undefined) throw new RangeError('a record of the template ima has no name');
    const data = Buffer.alloc(digestBytes + LEGACY_NAME_BYTES);
    fields.copy(data, 0, 0, digestBytes);
    fields.copy(data, digestBytes, digestBytes + 4);
    return data;
  }
}

/** Where a record keeps the digest of a bank; those of others are computed. */
const digestPlace = (bank: HashAlgorithm): { from: number; to: number } | undefined => {
  if (bank === 'sha1') return SHA1_PLACE;
  return bank === 'sha256' ? SHA256_PLACE : undefined;
};

/** Two figures and a space; PCRs are below 64. */
const writePcr = (pcr: number, target: Buffer, at: number): number => {
  target[at] = pcr < 10 ? SPACE : DIGIT_0 + Math.floor(pcr / 10);
  target[at + 1] = DIGIT_0 + (pcr % 10);
  target[at + 2] = SPACE;
  return at + 3;
};

/** In place: strings and views of a hundred thousand digests would take longer than all else. */
const writeHex = (
  bytes: Uint8Array,
  from: number,
  to: number,
  target: Buffer,
  at: number,
): number => {
  let end = at;
  for (let index = from; index < to; index += 1) {
    const two = (bytes[index] ?? 0) * 2;
    target[end] = HEX[two] ?? 0;
    target[end + 1] = HEX[two + 1] ?? 0;
    end += 2;
  }
  return end;
};
