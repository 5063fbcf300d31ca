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
const LEGACY_DIGEST_BYTES = 20;

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
    return (
      length > BODY_AT && at + length <= bytes.length && BODY_AT + this.#binaryLength() < length
    );
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

  /** What follows the digest in lists. */
  get binaryBody(): Buffer {
    return this.#slice(BODY_AT, BODY_AT + this.#binaryLength());
  }

  get asciiBody(): Buffer {
    return this.#slice(BODY_AT + this.#binaryLength(), this.length);
  }

  /** What a bank's list shows. */
  digest(bank: HashAlgorithm): Uint8Array {
    if (bank === 'sha1') return this.#slice(SHA1_AT, SHA256_AT);
    if (bank === 'sha256') return this.sha256;
    const hash = bankHash(bank, this.#hashedData());
    return this.isViolation ? hash.fill(0) : hash;
  }

  /** What a bank's PCR is extended with. */
  extension(bank: HashAlgorithm): Uint8Array {
    const digest = this.digest(bank);
    return this.isViolation ? new Uint8Array(digest.length).fill(0xff) : digest;
  }

  #binaryLength(): number {
    return this.bytes.readUInt32LE(this.at + 8);
  }

  #slice(from: number, to: number): Buffer {
    return this.bytes.subarray(this.at + from, this.at + to);
  }

  /** What the template hash is over, ima_calc_field_array_hash. */
  #hashedData(): Uint8Array {
    const body = this.binaryBody;
    const nameEnd = 4 + body.readUInt32LE(0);
    if (body.toString('latin1', 4, nameEnd) !== IMA_TEMPLATE_IMA_NAME) {
      return body.subarray(nameEnd + 4);
    }
    const data = Buffer.alloc(LEGACY_DIGEST_BYTES + LEGACY_NAME_BYTES);
    body.copy(data, 0, nameEnd, nameEnd + LEGACY_DIGEST_BYTES);
    body.copy(data, LEGACY_DIGEST_BYTES, nameEnd + LEGACY_DIGEST_BYTES + 4);
    return data;
  }
}
