import { LSM_WORDS } from '../lsm-conditions.js';
import type { IdCondition, Rule } from '../rule.js';
import { idRange, isWithin } from './id-range.js';

const EQUALITIES = ['fsmagic', 'fsname', 'fs_subtype', 'fsuuid', ...LSM_WORDS] as const;
const IDS = ['uid', 'euid', 'gid', 'egid', 'fowner', 'fgroup'] as const;
const LISTS = ['keyrings', 'label'] as const;

/**
 * Whether whatever matches `narrow` matches `wide` too (matchRule). Condition by condition, so that it
 * misses what two of them imply only together; what it says is so.
 */
export function implies(narrow: Rule, wide: Rule): boolean {
  return (
    impliesFunc(narrow, wide) &&
    impliesMask(narrow.mask, wide.mask) &&
    EQUALITIES.every((name) => wide[name] === undefined || wide[name] === narrow[name]) &&
    IDS.every((name) => impliesId(narrow[name], wide[name])) &&
    LISTS.every((name) => impliesList(narrow[name], wide[name]))
  );
}

/** A rule without func is about all hooks but the two that have no file. */
function impliesFunc({ func }: Rule, wide: Rule): boolean {
  return wide.func === undefined
    ? func !== 'KEY_CHECK' && func !== 'CRITICAL_DATA'
    : wide.func === func;
}

function impliesMask(narrow: Rule['mask'], wide: Rule['mask']): boolean {
  if (wide === undefined) {
    return true;
  }
  return narrow?.bit === wide.bit && (wide.inverted || !narrow.inverted);
}

/** euid and egid stand for several ids, one of which has to fulfil it: the same one does. */
function impliesId(narrow: IdCondition | undefined, wide: IdCondition | undefined): boolean {
  return !wide || (narrow !== undefined && isWithin(idRange(narrow), idRange(wide)));
}

function impliesList(
  narrow: readonly string[] | undefined,
  wide: readonly string[] | undefined,
): boolean {
  return !wide || narrow?.every((name) => wide.includes(name)) === true;
}
