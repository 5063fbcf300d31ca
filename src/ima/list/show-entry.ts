import type { HashAlgorithm } from '../ports.js';
import type { FieldForm } from '../template/field.js';
import { IMA_TEMPLATE_IMA_NAME, templateOfLine } from '../template/template.js';
import { type ListEntry, listDigest, templateData, uint32 } from './entry.js';

/** A record of the binary list of a bank (ima_measurements_show, ima_fs.c). */
export function binaryRecord(bank: HashAlgorithm, entry: ListEntry): Uint8Array {
  const { pcr, templateName } = entry;
  const name = Buffer.from(templateName, 'latin1');
  const head = [uint32(pcr), listDigest(bank, entry), uint32(name.length), name];
  if (templateName === IMA_TEMPLATE_IMA_NAME) {
    return Buffer.concat([...head, ...legacyFields(entry)]);
  }
  const data = templateData(entry);
  return Buffer.concat([...head, uint32(data.length), data]);
}

/** A line of the ascii list of a bank (ima_ascii_measurements_show), as bytes: names may hold any. */
export function asciiLine(bank: HashAlgorithm, entry: ListEntry): string {
  const { pcr, templateName, fields } = entry;
  const digest = Buffer.from(listDigest(bank, entry)).toString('hex');
  const forms = templateOfLine(templateName)?.fields ?? [];
  const shown = fields.map((data, index) => showField(forms[index]?.form ?? 'hex', data));
  return `${String(pcr).padStart(2)} ${digest} ${templateName} ${shown.join(' ')}\n`;
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
