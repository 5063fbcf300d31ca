import type { Rule } from '../ima/policy/rule.js';
import { showRule } from '../ima/policy/show-rule.js';
import { printable } from './printable.js';

/** A rule and its place, for people. */
export function ruleText(rule: Rule): string {
  return `${printable(showRule(rule).trimEnd())} (${rule.source}:${rule.line})`;
}

/** The same for scripts, as denials have it. */
export function placedRule(rule: Rule | undefined): { at: string; text: string } | undefined {
  return rule && { at: `${rule.source}:${rule.line}`, text: showRule(rule).trimEnd() };
}
