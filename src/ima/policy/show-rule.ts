import { conditions } from './conditions.js';
import type { Rule } from './rule.js';

/**
 * A rule as ima_policy_show (ima_policy.c) writes it, without the newline: conditions in the
 * kernel's order, old names replaced, a space after each word and so one at the end. Ids are
 * unsigned here (the kernel shows those from 2^31 on as negative and then cannot read them back).
 */
export function showRule(rule: Rule): string {
  const shown = conditions.map(({ show }) => show(rule)).filter((text) => text !== undefined);
  return [rule.action, ...shown].map((word) => `${word} `).join('');
}
