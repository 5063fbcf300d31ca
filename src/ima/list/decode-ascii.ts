import { failure, type Result, success } from '../../base/result.js';
import { bankAlgorithms } from '../digest/bank-hash.js';
import { hashAlgorithmByName } from '../digest/hash-algorithms.js';
import type { HashAlgorithm } from '../ports.js';
import type { Field } from '../template/field.js';
import type { Template } from '../template/template.js';
import { uint32 } from './entry.js';
import type { ListProblem, ShownEntry } from './shown-entry.js';
import { templateLookup } from './template-lookup.js';

/**
 * PCR, template hash, name of the template, fields; `%2d` puts a blank before a one-digit PCR. No line
 * has a NUL in it: what the kernel shows of a field ends before it.
 */
const LINE = /^ *(\d{1,2}) ([0-9a-f]+) ([!-~]+)(?: ([^\0]*))?$/;

const BANK_BY_DIGITS: ReadonlyMap<number, HashAlgorithm> = new Map(
  bankAlgorithms.map((bank) => [2 * (hashAlgorithmByName(bank)?.digestBytes ?? 0), bank]),
);

const NUL = Uint8Array.of(0);

export interface AsciiList {
  /** By the length of the template hashes; undefined for a list without lines. */
  readonly bank: HashAlgorithm | undefined;
  readonly entries: readonly ShownEntry[];
}

/**
 * The entries of an ascii list (ima_ascii_measurements_show), one character for each byte. Fields
 * become bytes again by their forms, so that template hashes can be recomputed. Never throws.
 */
export function decodeAsciiList(text: string): Result<AsciiList, ListProblem> {
  const templateOf = templateLookup();
  const decoded: ShownEntry[] = [];
  let bank: HashAlgorithm | undefined;
  let offset = 0;
  for (const line of text.replace(/\n$/, '').split('\n')) {
    if (text === '') break;
    const number = decoded.length + 1;
    const content = decodeLine(line, templateOf);
    if (!content.ok) return failure({ number, offset, message: content.problem, decoded });
    const { bank: own, ...entry } = content.value;
    bank ??= own;
    if (own !== bank) {
      const message = `its hash is a ${own} one, those before it are ${bank}`;
      return failure({ number, offset, message, decoded });
    }
    decoded.push({ ...entry, number, offset });
    offset += line.length + 1;
  }
  return success({ bank, entries: decoded });
}

type Content = Omit<ShownEntry, 'number' | 'offset'> & { readonly bank: HashAlgorithm };

function decodeLine(
  line: string,
  templateOf: (name: string) => Template | undefined,
): Result<Content, string> {
  const found = LINE.exec(line);
  if (found === null) return failure('this is no line of a measurement list');
  const [, pcr = '', hash = '', templateName = '', rest = ''] = found;
  const bank = BANK_BY_DIGITS.get(hash.length);
  if (bank === undefined) return failure(`a template hash cannot have ${hash.length} digits`);
  const template = templateOf(templateName);
  const words = rest.split(' ');
  const fields = template === undefined ? opaque(words) : bytesOfFields(template, words);
  if (!fields.ok) return fields;
  const isViolation = /^0*$/.test(hash);
  const digest = Buffer.from(hash, 'hex');
  return success({
    pcr: Number(pcr),
    digest,
    templateName,
    template,
    fields: fields.value,
    isViolation,
    bank,
  });
}

/** Nobody knows the forms of an unknown template's fields: they stay text. */
function opaque(words: readonly string[]): Result<Uint8Array[], string> {
  return success(words.map((word) => Buffer.from(word, 'latin1')));
}

function bytesOfFields(template: Template, words: readonly string[]): Result<Uint8Array[], string> {
  const texts = textsOfFields(template, words);
  if (texts === undefined) {
    const { name, fields } = template;
    return failure(`${name} has ${fields.length} fields, the line ${words.length}`);
  }
  const bytes: Uint8Array[] = [];
  for (const [index, field] of template.fields.entries()) {
    const data = fieldBytes(field, texts[index] ?? '');
    if (data === undefined) return failure(`its field ${field.id} is not as ${field.id} is shown`);
    bytes.push(data);
  }
  return success(bytes);
}

/**
 * One word for each field. Names in the template of old may have blanks in them. A blank for an empty
 * field at the end may have been lost on the way here.
 */
function textsOfFields({ fields }: Template, words: readonly string[]): string[] | undefined {
  const more = words.length - fields.length;
  if (more <= 0) return [...words, ...Array<string>(-more).fill('')];
  const name = fields.findIndex(({ id }) => id === 'n' || id === 'n-ng');
  if (name < 0) return undefined;
  const end = name + more + 1;
  return [...words.slice(0, name), words.slice(name, end).join(' '), ...words.slice(end)];
}

/** What showField made the text from; undefined if it cannot have been. */
function fieldBytes({ id, form }: Field, text: string): Uint8Array | undefined {
  switch (form) {
    case 'digest':
    case 'hex':
      return hexBytes(text);
    case 'digest-with-algorithm':
      return text === '' ? new Uint8Array() : digestBytes(text);
    case 'string':
      // Of these only a list of no names at all is empty, and then it has no NUL either.
      return text === '' && id === 'xattrnames'
        ? new Uint8Array()
        : Buffer.concat([Buffer.from(text, 'latin1'), NUL]);
    case 'uint':
      return uintBytes(id, text);
    default:
      return form satisfies never;
  }
}

/** `sha256:` or `ima:sha256:`, then hex; a NUL between them in the data. */
function digestBytes(text: string): Uint8Array | undefined {
  const colon = text.lastIndexOf(':') + 1;
  const digest = hexBytes(text.slice(colon));
  if (colon === 0 || digest === undefined) return undefined;
  return Buffer.concat([Buffer.from(text.slice(0, colon), 'latin1'), NUL, digest]);
}

function hexBytes(text: string): Uint8Array | undefined {
  return text.length % 2 === 0 && /^[0-9a-f]*$/.test(text) ? Buffer.from(text, 'hex') : undefined;
}

/** Empty where the event has no inode; a mode has 16 bits, ids have 32. */
function uintBytes(id: string, text: string): Uint8Array | undefined {
  if (text === '') return new Uint8Array();
  const bytes = id === 'imode' ? 2 : 4;
  if (!/^\d{1,10}$/.test(text) || Number(text) >= 256 ** bytes) return undefined;
  return uint32(Number(text)).subarray(0, bytes);
}
