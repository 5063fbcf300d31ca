import { type ActionFamily, familyOf, isDoAction, type Rule } from '../rule.js';
import type { Finding, Linted } from './finding.js';

/** Exceptions that change nothing, exceptions from everything, and policies that do nothing. */
export function withoutEffect({ policy: { rules } }: Linted): Finding[] {
  const findings = rules.flatMap((rule, index): Finding[] => {
    if (isDoAction(rule.action)) {
      return [];
    }
    const family = familyOf(rule.action);
    if (!hasDoAction(rules, family)) {
      return hasOptions(rule) ? [] : [nothingToExcept(rule, family)];
    }
    const rest = rules.slice(index).filter(({ action }) => familyOf(action) === family);
    if (!hasDoAction(rest, family)) {
      // It may keep such a rule behind it from being the one that matches.
      return rest.some(hasOptions) ? [] : [exceptAtEnd(rule, family)];
    }
    return isUnconditional(rule) ? [exceptsEverything(rule, family)] : [];
  });
  if (rules.some(({ action }) => isDoAction(action))) {
    return findings;
  }
  const message = 'no rule measures, appraises, audits or hashes: the policy does nothing';
  const remedy = "write what it is for, 'appraise fowner=0' for one";
  return [
    ...findings,
    { severity: 'warning', code: 'no-action', rule: undefined, message, remedy },
  ];
}

/** These count in whatever rule matches, also in one that rules its action out. */
function hasOptions(rule: Rule): boolean {
  return rule.permit_directio !== undefined || rule.digest_type !== undefined;
}

/** SETXATTR_CHECK is no access, so that nothing can be an exception from it. */
function hasDoAction(rules: readonly Rule[], family: ActionFamily): boolean {
  return rules.some(
    ({ action, func }) =>
      func !== 'SETXATTR_CHECK' && isDoAction(action) && familyOf(action) === family,
  );
}

const NO_CONDITIONS: readonly string[] = ['action', 'source', 'line', 'permit_directio'];

function isUnconditional(rule: Rule): boolean {
  return Object.keys(rule).every((name) => NO_CONDITIONS.includes(name));
}

/** A warning: it may be a part of a policy whose other part is in another file. */
function nothingToExcept(rule: Rule, family: ActionFamily): Finding {
  const message = `there is no ${family} rule in the policy that it could be an exception from`;
  const remedy = `leave it out, or write the ${family} rule behind it`;
  return { severity: 'warning', code: 'nothing-to-except', rule, message, remedy };
}

function exceptAtEnd(rule: Rule, family: ActionFamily): Finding {
  const message = `no ${family} rule follows that it could be an exception from`;
  const remedy = `move it before the ${family} rules, or leave it out`;
  return { severity: 'error', code: 'except-at-end', rule, message, remedy };
}

function exceptsEverything(rule: Rule, family: ActionFamily): Finding {
  const message = `it has no condition, so that no ${family} rule behind it ever counts`;
  const remedy = 'give it a condition, or leave it out';
  return { severity: 'warning', code: 'excepts-everything', rule, message, remedy };
}
