import { LSM_WORDS } from '../lsm-conditions.js';
import type { Rule } from '../rule.js';
import { idRange, isWithin } from './id-range.js';

const EQUALITIES = ['fsmagic', 'fsname', 'fs_subtype', 'fsuuid', ...LSM_WORDS] as const;
const IDS = ['uid', 'euid', 'gid', 'egid', 'fowner', 'fgroup'] as const;
const LISTS = ['keyrings', 'label'] as const;

/** Whether one condition of a rule holds wherever another rule matches. */
type Cover = (narrow: Rule) => boolean;

/**
 * Whether whatever matches `narrow` matches `wide` too (matchRule). Condition by condition, so that it
 * misses what two of them imply only together; what it says is so.
 */
export function implies(narrow: Rule, wide: Rule): boolean {
  return isCovered(narrow, coversOf(wide));
}

export function isCovered(narrow: Rule, covers: readonly Cover[]): boolean {
  return covers.every((cover) => cover(narrow));
}

/** One for each condition of a rule: most rules have few. */
export function coversOf(wide: Rule): readonly Cover[] {
  return [
    ofFunc(wide),
    ...ofMask(wide),
    ...EQUALITIES.filter((name) => wide[name] !== undefined).map(
      (name): Cover =>
        (narrow) =>
          narrow[name] === wide[name],
    ),
    ...IDS.flatMap((name) => ofId(wide, name)),
    ...LISTS.flatMap((name) => ofList(wide, name)),
  ];
}

/** A rule without func is about all hooks but the two that have no file. */
function ofFunc({ func: wide }: Rule): Cover {
  return wide === undefined
    ? ({ func }) => func !== 'KEY_CHECK' && func !== 'CRITICAL_DATA'
    : ({ func }) => func === wide;
}

function ofMask({ mask: wide }: Rule): Cover[] {
  if (wide === undefined) {
    return [];
  }
  const { bit, inverted } = wide;
  return [({ mask }) => mask?.bit === bit && (inverted || !mask.inverted)];
}

/** euid and egid stand for several ids, one of which has to fulfil it: the same one does. */
function ofId(wide: Rule, name: (typeof IDS)[number]): Cover[] {
  const outer = wide[name] && idRange(wide[name]);
  if (outer === undefined) {
    return [];
  }
  return [
    ({ [name]: condition }) => condition !== undefined && isWithin(idRange(condition), outer),
  ];
}

function ofList(wide: Rule, name: (typeof LISTS)[number]): Cover[] {
  const outer = wide[name];
  return outer
    ? [({ [name]: inner }) => inner?.every((word) => outer.includes(word)) === true]
    : [];
}
