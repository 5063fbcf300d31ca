import { type ActionFamily, familyOf, type Rule } from '../rule.js';
import { showRule } from '../show-rule.js';
import type { Finding, Linted } from './finding.js';
import { idRange, isEmptyRange } from './id-range.js';
import { coversOf, isCovered } from './implies.js';

/** Each rule is compared with all before it: what takes seconds is not done. */
const MOST_RULES = 5000;

const IDS = ['uid', 'euid', 'gid', 'egid', 'fowner', 'fgroup'] as const;

/** Rules that never decide anything, because an earlier rule of their family decides it all. */
export function shadowed({ policy: { rules } }: Linted): Finding[] {
  if (rules.length > MOST_RULES) {
    const message = `only the first ${MOST_RULES} of ${rules.length} rules were compared`;
    const remedy = 'look for shorter conditions that say the same';
    const compared = findShadowed(rules.slice(0, MOST_RULES));
    return [...compared, { severity: 'note', code: 'too-long', rule: undefined, message, remedy }];
  }
  return findShadowed(rules);
}

interface Earlier {
  readonly rule: Rule;
  readonly covers: ReturnType<typeof coversOf>;
}

function findShadowed(rules: readonly Rule[]): Finding[] {
  const before: Record<ActionFamily, Earlier[]> = {
    measure: [],
    appraise: [],
    audit: [],
    hash: [],
  };
  const findings: Finding[] = [];
  let setxattr: Rule | undefined;
  for (const rule of rules) {
    // The first of these counts, whatever stands before it (update_allowed_hash_algorithms).
    if (rule.func === 'SETXATTR_CHECK') {
      if (setxattr) findings.push(ignoredSetxattr(rule, setxattr));
      setxattr ??= rule;
      continue;
    }
    const earlier = before[familyOf(rule.action)];
    const wide = earlier.find(({ covers }) => isCovered(rule, covers));
    if (wide) {
      findings.push(shadowOf(rule, wide.rule));
    } else if (!IDS.some((name) => rule[name] && isEmptyRange(idRange(rule[name])))) {
      // What a shadowed rule covers, the rule that shadows it covers too.
      earlier.push({ rule, covers: coversOf(rule) });
    }
  }
  return findings;
}

function shadowOf(rule: Rule, wide: Rule): Finding {
  const [own, other] = [showRule(rule).trimEnd(), showRule(wide).trimEnd()];
  const at = `line ${wide.line}`;
  if (own === other) {
    const message = `it stands in ${at} already`;
    return { severity: 'error', code: 'duplicate', rule, message, remedy: 'leave it out' };
  }
  const isContrary = wide.action !== rule.action;
  return {
    severity: 'error',
    code: 'shadowed',
    rule,
    message: `whatever it matches is decided by ${at}: ${other}`,
    remedy: isContrary ? `move it before ${at}` : `leave it out, or move it before ${at}`,
  };
}

function ignoredSetxattr(rule: Rule, first: Rule): Finding {
  const message = `of several SETXATTR_CHECK rules the first counts, line ${first.line}`;
  const remedy = `write all algorithms into line ${first.line}`;
  return { severity: 'error', code: 'setxattr-ignored', rule, message, remedy };
}
