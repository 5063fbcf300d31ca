import { bankHash } from '../digest/bank-hash.js';
import { hashAlgorithmByName } from '../digest/hash-algorithms.js';
import type { HashAlgorithm } from '../ports.js';
import { IMA_TEMPLATE_IMA_NAME } from '../template/template.js';

/** One line of a measurement list (struct ima_template_entry). */
export interface ListEntry {
  readonly pcr: number;
  readonly templateName: string;
  /** The template's fields in order, as their bytes. */
  readonly fields: readonly Uint8Array[];
  /** Zeros in the list, ones in the PCR. */
  readonly isViolation: boolean;
}

/** IMA_EVENT_NAME_LEN_MAX + 1: what the name of the template of old is padded to for hashing. */
const LEGACY_NAME_BYTES = 256;

/** The fields as they are hashed and, but for the template of old, as the binary list has them. */
export function templateData({ fields }: Pick<ListEntry, 'fields'>): Uint8Array {
  const data = Buffer.allocUnsafe(fields.reduce((sum, { length }) => sum + 4 + length, 0));
  let at = 0;
  for (const field of fields) {
    at = data.writeUInt32LE(field.length, at);
    data.set(field, at);
    at += field.length;
  }
  return data;
}

/** ima_calc_field_array_hash: the template hash that a bank's list shows, for violations too. */
export function templateHash(algorithm: HashAlgorithm, entry: ListEntry): Uint8Array {
  return bankHash(algorithm, hashedData(entry));
}

/** What a bank's list shows: the template hash, or zeros for a violation. */
export function listDigest(algorithm: HashAlgorithm, entry: ListEntry): Uint8Array {
  return entry.isViolation ? filled(algorithm, 0) : templateHash(algorithm, entry);
}

/** What the PCR of a bank is extended with: a violation makes it ones (ima_pcr_extend). */
export function extendDigest(algorithm: HashAlgorithm, entry: ListEntry): Uint8Array {
  return entry.isViolation ? filled(algorithm, 0xff) : templateHash(algorithm, entry);
}

/** Little endian: as the kernel's on all machines we run on, and with ima_canonical_fmt on others. */
export function uint32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function hashedData(entry: ListEntry): Uint8Array {
  if (entry.templateName !== IMA_TEMPLATE_IMA_NAME) {
    return templateData(entry);
  }
  const [digest = new Uint8Array(), name = new Uint8Array()] = entry.fields;
  const padded = new Uint8Array(LEGACY_NAME_BYTES);
  padded.set(name.subarray(0, LEGACY_NAME_BYTES));
  return Buffer.concat([digest, padded]);
}

function filled(algorithm: HashAlgorithm, byte: number): Uint8Array {
  return new Uint8Array(hashAlgorithmByName(algorithm)?.digestBytes ?? 0).fill(byte);
}
