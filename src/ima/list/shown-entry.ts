import type { Template } from '../template/template.js';
import type { ListEntry } from './entry.js';
import { asciiBody, showField } from './show-entry.js';

/** An entry as a list shows it. What it says of itself is checked by check-entries.ts only. */
export interface ShownEntry extends ListEntry {
  /** undefined: no template that IMA has. Its fields are told apart by their lengths alone. */
  readonly template: Template | undefined;
  /** The template hash as the list has it; zeros make it a violation. */
  readonly digest: Uint8Array;
  /** Its place in the list, from 1 on. */
  readonly number: number;
  /** Byte at which its record or line begins. */
  readonly offset: number;
}

/** Why what follows `decoded` is no list. */
export interface ListProblem {
  /** Number of the entry that cannot be decoded, from 1 on. */
  readonly number: number;
  /** Byte at which its record or line begins. */
  readonly offset: number;
  /** What is wrong with it: no capital, no full stop. */
  readonly message: string;
  /** The entries before it. */
  readonly decoded: readonly ShownEntry[];
}

const NAMES = ['n', 'n-ng'];
const DIGESTS = ['d', 'd-ng', 'd-ngv2'];

/** The line of the ascii list, without the newline; `digest` is that of another bank, if given. */
export function shownLine(entry: ShownEntry, digest: Uint8Array = entry.digest): string {
  const hash = Buffer.from(digest).toString('hex');
  return `${String(entry.pcr).padStart(2)} ${hash}${asciiBody(entry)}`.slice(0, -1);
}

/** Path or name of the event as the ascii list shows it, one character for each byte. */
export function shownName(entry: ShownEntry): string {
  return fieldText(entry, NAMES) ?? '';
}

/** The file's digest as `sha256:hex`; undefined where the template has none. */
export function shownDigest(entry: ShownEntry): string | undefined {
  const isLegacy = entry.template?.fields.some(({ id }) => id === 'd') === true;
  const text = fieldText(entry, DIGESTS);
  return text !== undefined && isLegacy ? `sha1:${text}` : text;
}

/** All fields by their ids, as the ascii list shows them; those of an unknown template by number. */
export function shownFields({ template, fields }: ShownEntry): Record<string, string> {
  return Object.fromEntries(
    fields.map((data, index) => {
      const { id, form } = template?.fields[index] ?? { id: String(index + 1), form: 'hex' };
      return [id, showField(form, data)];
    }),
  );
}

function fieldText({ template, fields }: ShownEntry, ids: readonly string[]): string | undefined {
  const index = template?.fields.findIndex(({ id }) => ids.includes(id)) ?? -1;
  const form = template?.fields[index]?.form;
  const data = fields[index];
  return form === undefined || data === undefined ? undefined : showField(form, data);
}
