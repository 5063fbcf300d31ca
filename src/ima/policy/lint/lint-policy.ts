import type { Rule } from '../rule.js';
import { appraising } from './appraising.js';
import type { Finding, Linted, Severity } from './finding.js';
import { measuring } from './measuring.js';
import { neverMatches } from './never-matches.js';
import { shadowed } from './shadowed.js';
import { withoutEffect } from './without-effect.js';

export type { BackingFacts, Finding, FindingCode, Severity } from './finding.js';

/** In this order: what is told first of a rule that has several problems of one severity. */
const LINTERS = [neverMatches, shadowed, withoutEffect, appraising, measuring] as const;

const RANKS: readonly Severity[] = ['error', 'warning', 'note'];

/** What is useless, dangerous or odd in a valid policy, rule by rule; what is about all of it at the end. */
export function lintPolicy(linted: Linted): Finding[] {
  const all = LINTERS.flatMap((lint) => lint(linted));
  const useless = new Map<Rule, Finding>();
  for (const finding of all) {
    const { rule, severity } = finding;
    if (rule && severity === 'error' && !useless.has(rule)) useless.set(rule, finding);
  }
  const place = new Map(linted.policy.rules.map((rule, index) => [rule, index]));
  const placeOf = ({ rule }: Finding): number =>
    (rule && place.get(rule)) ?? Number.POSITIVE_INFINITY;
  return all
    .filter((finding) => isToldOf(finding, useless))
    .sort((left, right) => compare(placeOf(left), placeOf(right)) || rank(left) - rank(right));
}

/** Of a rule that never counts that alone is told. */
function isToldOf(finding: Finding, useless: ReadonlyMap<Rule, Finding>): boolean {
  const why = finding.rule && useless.get(finding.rule);
  return why === undefined || why === finding;
}

function rank({ severity }: Finding): number {
  return RANKS.indexOf(severity);
}

/** Both may be infinite. */
function compare(left: number, right: number): number {
  return left === right ? 0 : left - right;
}
