import type { HashAlgorithm } from '../ports.js';
import type { FieldForm } from '../template/field.js';
import { IMA_TEMPLATE_IMA_NAME, templateOfLine } from '../template/template.js';
import { type ListEntry, listDigest, templateData, uint32 } from './entry.js';

/** A record of the binary list of a bank (ima_measurements_show, ima_fs.c). */
export function binaryRecord(bank: HashAlgorithm, entry: ListEntry): Uint8Array {
  return Buffer.concat([uint32(entry.pcr), listDigest(bank, entry), binaryBody(entry)]);
}

/** What follows the digest, the same in the lists of all banks. */
export function binaryBody(entry: ListEntry): Uint8Array {
  const name = Buffer.from(entry.templateName, 'latin1');
  const head = [uint32(name.length), name];
  if (entry.templateName === IMA_TEMPLATE_IMA_NAME) {
    return Buffer.concat([...head, ...legacyFields(entry)]);
  }
  const data = templateData(entry);
  return Buffer.concat([...head, uint32(data.length), data]);
}

/**
 * A line of the ascii list of a bank (ima_ascii_measurements_show), a character for each byte: names
 * may hold any.
 */
export function asciiLine(bank: HashAlgorithm, entry: ListEntry): string {
  const digest = Buffer.from(listDigest(bank, entry)).toString('hex');
  return `${String(entry.pcr).padStart(2)} ${digest}${asciiBody(entry)}`;
}

/** What follows the digest, the same in the lists of all banks. */
export function asciiBody({ templateName, fields }: ListEntry): string {
  const forms = templateOfLine(templateName)?.fields ?? [];
  const shown = fields.map((data, index) => showField(forms[index]?.form ?? 'hex', data));
  return ` ${templateName} ${shown.join(' ')}\n`;
}

/** A field as the ascii list shows it, one character for each byte; nothing for an empty one. */
export function showField(form: FieldForm, data: Uint8Array): string {
  if (data.length === 0) {
    return '';
  }
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.length);
  switch (form) {
    case 'digest':
    case 'hex':
      return bytes.toString('hex');
    case 'digest-with-algorithm': {
      const end = bytes.indexOf(0);
      return `${bytes.toString('latin1', 0, end)}${bytes.toString('hex', end + 1)}`;
    }
    case 'string': {
      const end = bytes.indexOf(0);
      return bytes.toString('latin1', 0, end === -1 ? bytes.length : end);
    }
    case 'uint':
      return String(bytes.readUIntLE(0, Math.min(bytes.length, 6)));
    default:
      return form satisfies never;
  }
}

/** The digest without its length, the name with its length and without its NUL. */
function legacyFields({ fields }: ListEntry): Uint8Array[] {
  const [digest = new Uint8Array(), name = new Uint8Array()] = fields;
  const end = name.indexOf(0);
  const text = end === -1 ? name : name.subarray(0, end);
  return [digest, uint32(text.length), text];
}
