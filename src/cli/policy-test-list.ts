import { closeSync, openSync, readSync } from 'node:fs';

import type { DecodedList } from '../ima/list/decode-list.js';
import { type ShownEntry, shownName } from '../ima/list/shown-entry.js';
import { type EntryMatch, matchEntry } from '../ima/policy/match-entry.js';
import type { Policy } from '../ima/policy/policy.js';
import type { Rule } from '../ima/policy/rule.js';
import { entryFacts } from './entry-facts.js';
import { asUtf8 } from './entry-json.js';
import { isListFile } from './list-files.js';
import type { Output } from './output.js';
import { printable } from './printable.js';
import { placedRule, ruleText } from './rule-text.js';

const HEAD_BYTES = 256;
/** `10 HASH TEMPLATE ` */
const ASCII_ENTRY = /^ ?\d{1,2} [0-9a-f]{40,128} [\w-]+ /;
const MOST_PCRS = 24;
/** Template hashes of the banks. */
const HASH_BYTES = [20, 32, 48, 64];

/** Whether a file begins as measurement lists do, of either form: nobody looks further for that. */
export function looksLikeList(path: string): boolean {
  if (!isListFile(path)) return false;
  const head = readHead(path);
  if (ASCII_ENTRY.test(head.toString('latin1'))) return true;
  if (head.length < 4 || head.readUInt32LE(0) >= MOST_PCRS) return false;
  return HASH_BYTES.some((size) => /^[\w-]+$/.test(templateNameAt(head, 4 + size)));
}

interface Counts {
  yes: number;
  maybe: number;
  no: number;
  always: number;
}

/** Which entries of a list a policy would measure; those that it would not come first. */
export function testList(
  output: Output,
  file: string,
  { entries }: DecodedList,
  policy: Policy,
  caller: { readonly uid?: number; readonly gid?: number },
  quiet: boolean,
): void {
  const counts: Counts = { yes: 0, maybe: 0, no: 0, always: 0 };
  const matches = entries.map((entry) => {
    const facts = entryFacts(entry);
    const match = facts && matchEntry(policy, { ...facts, ...caller });
    counts[match?.measured ?? 'always'] += 1;
    return { entry, match };
  });
  for (const measured of ['no', 'maybe', 'yes', undefined] as const) {
    for (const { entry, match } of matches) {
      if (match?.measured !== measured) continue;
      showEntry(output, entry, match, quiet && measured !== 'no');
    }
  }
  const { yes, maybe, no, always } = counts;
  output.result(
    'summary',
    { file, entries: entries.length, measured: yes, maybe, unmeasured: no, always },
    `${file}: ${entries.length} entries: ${no} would not be measured, ${maybe} may be, ${yes} would be` +
      `, ${always} whatever the policy says`,
  );
}

function showEntry(
  output: Output,
  entry: ShownEntry,
  match: EntryMatch | undefined,
  isSilent: boolean,
): void {
  const name = asUtf8(shownName(entry));
  const { rule, depends = [] } = match ?? {};
  const measured = match?.measured ?? 'always';
  const fields = { number: entry.number, name, measured, rule: placedRule(rule), depends };
  const text = `${WORDS[measured].padEnd(12)} ${printable(name)}${because(rule, depends)}`;
  output.result('entry', fields, isSilent ? undefined : text);
}

const WORDS = { no: 'not measured', maybe: 'maybe', yes: 'measured', always: 'always' } as const;

function because(rule: Rule | undefined, depends: readonly string[]): string {
  if (rule === undefined) return '';
  return depends.length === 0
    ? `: ${ruleText(rule)}`
    : `: depends on ${depends.join(', ')} (first by ${ruleText(rule)})`;
}

function readHead(path: string): Buffer {
  const fd = openSync(path, 'r');
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    return head.subarray(0, readSync(fd, head, 0, HEAD_BYTES, 0));
  } finally {
    closeSync(fd);
  }
}

function templateNameAt(head: Buffer, at: number): string {
  if (head.length < at + 4) return '';
  return head.toString('latin1', at + 4, at + 4 + Math.min(head.readUInt32LE(at), HEAD_BYTES));
}
