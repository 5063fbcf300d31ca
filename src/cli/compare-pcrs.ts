import type { DecodedList } from '../ima/list/decode-list.js';
import { agreement, type PcrValues, replay } from '../ima/list/replay.js';
import type { ShownEntry } from '../ima/list/shown-entry.js';
import type { HashAlgorithm } from '../ima/ports.js';
import { entryText } from './entry-json.js';

export type MeasuredList = Pick<DecodedList, 'bank' | 'entries'>;

/** How one PCR of one bank and the list go together. */
export interface PcrFinding {
  readonly bank: HashAlgorithm;
  readonly pcr: number;
  /** undefined: nobody told it. */
  readonly value: Uint8Array | undefined;
  /** What the whole list gives. */
  readonly replayed: Uint8Array;
  /** Those of the list that are of this PCR. */
  readonly entries: number;
  readonly violations: number;
  readonly problem: PcrProblem | undefined;
}

export interface PcrProblem {
  readonly kind: 'behind' | 'changed' | 'unrelated' | 'no-value';
  readonly message: string;
  /** The first entry that differs, if one can be named. */
  readonly entry: ShownEntry | undefined;
}

/**
 * One finding for each PCR of a bank that the list uses. `values` undefined: there is nothing to
 * compare with. A PCR may have less than all of the list, if it has at least its first `atLeast`.
 */
export function comparePcrs(
  list: MeasuredList,
  bank: HashAlgorithm,
  values: PcrValues | undefined,
  atLeast = list.entries.length,
): PcrFinding[] {
  const replayed = [...(replay(list.entries, [bank]).get(bank) ?? [])];
  return replayed
    .sort(([left], [right]) => left - right)
    .map(([pcr, whole]) => {
      const own = list.entries.filter((entry) => entry.pcr === pcr);
      const value = values?.get(pcr);
      return {
        bank,
        pcr,
        value,
        replayed: whole,
        entries: own.length,
        violations: own.filter(({ isViolation }) => isViolation).length,
        problem: values === undefined ? undefined : problemOf(list, { bank, pcr, value }, atLeast),
      };
    });
}

function problemOf(
  list: MeasuredList,
  { bank, pcr, value }: Pick<PcrFinding, 'bank' | 'pcr' | 'value'>,
  atLeast: number,
): PcrProblem | undefined {
  const named = `PCR ${pcr} of ${bank}`;
  if (value === undefined) {
    if (!list.entries.slice(0, atLeast).some((entry) => entry.pcr === pcr)) return undefined;
    return { kind: 'no-value', message: `there is no value of ${named}`, entry: undefined };
  }
  const found = agreement(list.entries, list.bank, { bank, pcr, value });
  switch (found.kind) {
    case 'prefix': {
      if (found.most >= atLeast) return undefined;
      const entry = list.entries[found.most];
      const message =
        `${named} has only the first ${found.least} entries of the list` +
        (entry === undefined ? '' : `: ${entryText(entry)} is not in it`);
      return { kind: 'behind', message, entry };
    }
    case 'changed': {
      const message = `${named} has another value than the list gives, and ${changedText(found.entry)}`;
      return { kind: 'changed', message, entry: found.entry };
    }
    case 'none':
      return {
        kind: 'unrelated',
        message: `no beginning of the list gives the value of ${named}`,
        entry: undefined,
      };
    default:
      return found satisfies never;
  }
}

export function changedText(entry: ShownEntry): string {
  return `${entryText(entry)} was changed: its hash is not that of its data`;
}
