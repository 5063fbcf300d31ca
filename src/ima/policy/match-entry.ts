import type { Hook } from '../ports.js';
import type { ConditionName } from './condition.js';
import type { Policy } from './policy.js';
import { familyOf, isDoAction, type Rule } from './rule.js';

/** What an entry of a measurement list tells of the access that made it. */
export interface EntryFacts {
  /** Hooks that may have made it. */
  readonly hooks: ReadonlySet<Hook>;
  /** The keyring, where it is known. */
  readonly keyring?: string;
  /** Owner and group of the file, where the template has them. */
  readonly fowner?: number;
  readonly fgroup?: number;
  /** Who accessed it, where that is said besides. */
  readonly uid?: number;
  readonly gid?: number;
}

/** Whether a policy would measure what a list shows, as far as the list can tell. */
export interface EntryMatch {
  readonly measured: 'yes' | 'no' | 'maybe';
  /** The first rule that may decide it. */
  readonly rule: Rule | undefined;
  /** Conditions that the list is silent about, where it depends on them. */
  readonly depends: readonly ConditionName[];
}

const UNKNOWN_WITHOUT_MORE: readonly ConditionName[] = [
  'mask',
  'fsmagic',
  'fsname',
  'fs_subtype',
  'fsuuid',
  'obj_user',
  'obj_role',
  'obj_type',
  'subj_user',
  'subj_role',
  'subj_type',
  'label',
];
const IDS = ['uid', 'euid', 'gid', 'egid', 'fowner', 'fgroup'] as const;

const WITHOUT_FILE: readonly Hook[] = ['KEY_CHECK', 'CRITICAL_DATA'];

/** As matchPolicy for the measure family, with conditions that are neither fulfilled nor not. */
export function matchEntry({ rules }: Policy, facts: EntryFacts): EntryMatch {
  const maybe: Rule[] = [];
  const depends = new Set<ConditionName>();
  for (const rule of rules) {
    if (familyOf(rule.action) !== 'measure') continue;
    const unknown = unknownConditions(rule, facts);
    if (unknown === undefined) continue;
    if (unknown.length > 0) {
      maybe.push(rule);
      for (const name of unknown) depends.add(name);
      continue;
    }
    const isMeasured = isDoAction(rule.action);
    // What may match before it and says the same changes nothing.
    const contrary = maybe.some((other) => isDoAction(other.action) !== isMeasured);
    if (contrary) return { measured: 'maybe', rule: maybe[0], depends: [...depends] };
    return { measured: isMeasured ? 'yes' : 'no', rule, depends: [] };
  }
  return maybe.some(({ action }) => isDoAction(action))
    ? { measured: 'maybe', rule: maybe[0], depends: [...depends] }
    : { measured: 'no', rule: undefined, depends: [] };
}

/** Undefined: it does not match; else what would have to be known to say that it does. */
function unknownConditions(rule: Rule, facts: EntryFacts): ConditionName[] | undefined {
  const func = funcOf(rule, facts.hooks);
  const keyring = keyringOf(rule, facts);
  const ids = IDS.map((name) => [name, idOf(rule, name, facts)] as const);
  if (func === 'no' || keyring === 'no' || ids.some(([, answer]) => answer === 'no')) {
    return undefined;
  }
  return [
    ...(func === 'maybe' ? (['func'] as const) : []),
    ...(keyring === 'maybe' ? (['keyrings'] as const) : []),
    ...UNKNOWN_WITHOUT_MORE.filter((name) => rule[name] !== undefined),
    ...ids.flatMap(([name, answer]) => (answer === 'maybe' ? [name] : [])),
  ];
}

type Answer = 'yes' | 'no' | 'maybe';

function funcOf({ func }: Rule, hooks: ReadonlySet<Hook>): Answer {
  const isAbout = (hook: Hook): boolean =>
    func === undefined ? !WITHOUT_FILE.includes(hook) : func === hook;
  const fitting = [...hooks].filter(isAbout).length;
  if (fitting === hooks.size) return 'yes';
  return fitting === 0 ? 'no' : 'maybe';
}

function keyringOf({ keyrings }: Rule, { keyring }: EntryFacts): Answer {
  if (keyrings === undefined) return 'yes';
  if (keyring === undefined) return 'maybe';
  return keyrings.includes(keyring) ? 'yes' : 'no';
}

function idOf(rule: Rule, name: (typeof IDS)[number], facts: EntryFacts): Answer {
  const condition = rule[name];
  if (!condition) return 'yes';
  const known = facts[name === 'euid' ? 'uid' : name === 'egid' ? 'gid' : name];
  if (known === undefined) return 'maybe';
  const { comparison, id } = condition;
  const holds = comparison === '=' ? known === id : comparison === '<' ? known < id : known > id;
  return holds ? 'yes' : 'no';
}
