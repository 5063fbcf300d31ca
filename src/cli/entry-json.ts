import { type ShownEntry, shownDigest, shownFields, shownName } from '../ima/list/shown-entry.js';
import { printable } from './printable.js';

/** An entry of a measurement list, as `log show` and `run` give it. `hash` is the template hash. */
export function entryJson(
  entry: ShownEntry,
  hash: Uint8Array = entry.digest,
): {
  readonly pcr: number;
  readonly template: string;
  readonly hash: string;
  readonly digest: string | undefined;
  readonly name: string;
  readonly violation: boolean;
} {
  return {
    pcr: entry.pcr,
    template: entry.templateName,
    hash: Buffer.from(hash).toString('hex'),
    digest: shownDigest(entry),
    name: asUtf8(shownName(entry)),
    violation: entry.isViolation,
  };
}

/** All fields of the template by their ids. */
export function fieldsJson(entry: ShownEntry): Record<string, string> {
  const fields = Object.entries(shownFields(entry));
  return Object.fromEntries(fields.map(([id, text]) => [id, asUtf8(text)]));
}

/** Lists are bytes, one character for each; names in them are UTF-8 as a rule. */
export function asUtf8(text: string): string {
  return Buffer.from(text, 'latin1').toString('utf8');
}

/** An entry in a sentence: its number, and its name fit for a terminal. */
export function entryText(entry: ShownEntry): string {
  const name = asUtf8(shownName(entry));
  return name === '' ? `entry ${entry.number}` : `entry ${entry.number} (${printable(name)})`;
}
