import { failure, type Result, success } from '../../base/result.js';
import { hashAlgorithmByName } from '../digest/hash-algorithms.js';
import type { HashAlgorithm } from '../ports.js';
import { IMA_TEMPLATE_IMA_NAME, type Template } from '../template/template.js';
import type { ListProblem, ShownEntry } from './shown-entry.js';
import { templateLookup } from './template-lookup.js';

/** INVALID_PCR (ima_policy.c): as many as measured_pcrs has bits. */
const MOST_PCRS = 64;

/** The longest format of a template: 15 ids of 16 characters (IMA_TEMPLATE_FIELD_ID_MAX_LEN). */
const TEMPLATE_NAME_MAX = 255;

/** IMA_TEMPLATE_NUM_FIELDS_MAX */
const MOST_FIELDS = 15;

/** The field `d` of the template of old has no length in the list. */
const LEGACY_DIGEST_BYTES = 20;

/** IMA_EVENT_NAME_LEN_MAX */
const LEGACY_NAME_MAX = 255;

type Decoded<Value> = Result<Value, string>;

type Content = Pick<ShownEntry, 'pcr' | 'digest' | 'templateName' | 'template' | 'fields'>;

/**
 * The entries of a bank's binary list (ima_measurements_show, ima_fs.c), whatever templates they are
 * of. For any bytes: it never reads beyond their end and never throws.
 */
export function decodeBinaryList(
  bytes: Uint8Array,
  bank: HashAlgorithm,
): Result<readonly ShownEntry[], ListProblem> {
  const digestBytes = hashAlgorithmByName(bank)?.digestBytes;
  const reader = new Reader(bytes);
  const templateOf = templateLookup();
  const decoded: ShownEntry[] = [];
  while (reader.left > 0) {
    const { offset } = reader;
    const number = decoded.length + 1;
    const record =
      digestBytes === undefined
        ? failure(`${bank} is no hash algorithm`)
        : readRecord(reader, digestBytes, templateOf);
    if (!record.ok) return failure({ number, offset, message: record.problem, decoded });
    const isViolation = record.value.digest.every((byte) => byte === 0);
    decoded.push({ ...record.value, isViolation, number, offset });
  }
  return success(decoded);
}

function readRecord(
  reader: Reader,
  digestBytes: number,
  templateOf: (name: string) => Template | undefined,
): Decoded<Content> {
  const pcr = reader.uint32();
  const digest = reader.take(digestBytes);
  const nameLength = reader.uint32();
  if (pcr !== undefined && pcr >= MOST_PCRS) return failure(`there is no PCR ${pcr}`);
  if (pcr === undefined || digest === undefined || nameLength === undefined) {
    return failure('the list ends in the head of the record');
  }
  if (nameLength === 0 || nameLength > TEMPLATE_NAME_MAX) {
    return failure(`the template's name cannot have ${nameLength} bytes`);
  }
  const nameBytes = reader.take(nameLength);
  if (nameBytes === undefined) {
    return failure(`the template's name has ${nameLength} bytes, ${reader.left} are left`);
  }
  const templateName = Buffer.from(nameBytes).toString('latin1');
  if (!/^[!-~]+$/.test(templateName)) return failure("the template's name is not printable");
  const template = templateOf(templateName);
  const fields =
    templateName === IMA_TEMPLATE_IMA_NAME
      ? readLegacyFields(reader)
      : readFields(reader, template?.fields.length);
  if (!fields.ok) return failure(`${templateName}: ${fields.problem}`);
  return success({ pcr, digest, templateName, template, fields: fields.value });
}

/** `count`: how many the template has, undefined for an unknown one. */
function readFields(reader: Reader, count: number | undefined): Decoded<Uint8Array[]> {
  const length = reader.uint32();
  const data = length === undefined ? undefined : reader.take(length);
  if (length === undefined) return failure('the list ends before the data');
  if (data === undefined) return failure(`the data has ${length} bytes, ${reader.left} are left`);
  const rest = new Reader(data);
  const fields: Uint8Array[] = [];
  const isMore = (): boolean => (count === undefined ? rest.left > 0 : fields.length < count);
  while (isMore()) {
    if (fields.length === MOST_FIELDS) return failure(`there are more than ${MOST_FIELDS} fields`);
    const fieldLength = rest.uint32();
    const field = fieldLength === undefined ? undefined : rest.take(fieldLength);
    if (field === undefined) {
      const wanted = fieldLength === undefined ? 'has no length' : `has ${fieldLength} bytes`;
      return failure(`field ${fields.length + 1} ${wanted}, ${rest.left} of the data are left`);
    }
    fields.push(field);
  }
  if (rest.left > 0) return failure(`${rest.left} bytes of the data are left after the last field`);
  return success(fields);
}

/** Without the length of the data and of the digest; the name without its NUL, which hashing wants. */
function readLegacyFields(reader: Reader): Decoded<Uint8Array[]> {
  const digest = reader.take(LEGACY_DIGEST_BYTES);
  const length = reader.uint32();
  if (digest === undefined || length === undefined) return failure('the list ends in the digest');
  if (length > LEGACY_NAME_MAX) return failure(`a name cannot have ${length} bytes`);
  const name = reader.take(length);
  if (name === undefined) return failure(`the name has ${length} bytes, ${reader.left} are left`);
  if (name.includes(0)) return failure('the name has a NUL in it');
  return success([digest, Buffer.concat([name, Uint8Array.of(0)])]);
}

/** Takes bytes from the front, in little endian as the kernel's on all machines we run on. */
class Reader {
  offset = 0;
  readonly #view: DataView;

  constructor(private readonly bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.bytes.length - this.offset;
  }

  /** undefined, and nothing taken, if there are fewer. */
  take(length: number): Uint8Array | undefined {
    if (length > this.left) return undefined;
    this.offset += length;
    return this.bytes.subarray(this.offset - length, this.offset);
  }

  uint32(): number | undefined {
    if (this.left < 4) return undefined;
    this.offset += 4;
    return this.#view.getUint32(this.offset - 4, true);
  }
}
