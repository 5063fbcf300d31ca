import type { IdCondition } from '../rule.js';

/** The ids that fulfil a condition: whole numbers from `least` to `most`, none if `most` is below. */
export interface IdRange {
  readonly least: number;
  readonly most: number;
}

export function idRange({ comparison, id }: IdCondition): IdRange {
  switch (comparison) {
    case '=':
      return { least: id, most: id };
    case '<':
      return { least: 0, most: id - 1 };
    case '>':
      return { least: id + 1, most: Number.POSITIVE_INFINITY };
    default:
      return comparison satisfies never;
  }
}

export function isEmptyRange({ least, most }: IdRange): boolean {
  return most < least;
}

export function isWithin(inner: IdRange, outer: IdRange): boolean {
  return outer.least <= inner.least && inner.most <= outer.most;
}
