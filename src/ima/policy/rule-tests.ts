import type { Hook } from '../ports.js';
import { LSM_WORDS, type LsmWord, matchesLabel } from './lsm-conditions.js';
import type { PolicyQuery } from './match-policy.js';
import { type ActionFamily, familyOf, type IdCondition, type Rule } from './rule.js';

/** Whether one condition of a rule holds for an access. */
export type Test = (query: PolicyQuery) => boolean;

/** A rule as it is for one hook. */
export interface HookRule {
  readonly rule: Rule;
  readonly family: ActionFamily;
  /** All must hold. */
  readonly tests: readonly Test[];
}

/** The rules that can match at a hook, in order. */
export function rulesForHook(rules: readonly Rule[], hook: Hook): HookRule[] {
  return rules.flatMap((rule) => {
    const tests = testsOf(rule, hook);
    return tests === undefined ? [] : [{ rule, family: familyOf(rule.action), tests }];
  });
}

/**
 * ima_match_rules (ima_policy.c) with what a rule and a hook say known beforehand: the tests that are left,
 * of which most rules have one or two. Undefined: the rule never matches there.
 */
export function testsOf(rule: Rule, hook: Hook): readonly Test[] | undefined {
  // An attribute change asks whether the file is appraised at all, by whatever hook and access.
  const anyAccess = hook === 'POST_SETATTR';
  if (rule.func !== undefined && rule.func !== hook && !anyAccess) {
    return undefined;
  }
  if (hook === 'KEY_CHECK' || hook === 'CRITICAL_DATA') {
    return rule.func === hook ? testsOfData(rule, hook) : undefined;
  }
  const tests = [
    anyAccess ? undefined : testOfMask(rule),
    ...testsOfFileSystem(rule),
    ...testsOfIds(rule),
    ...LSM_WORDS.map((word) => testOfLabel(rule, word)),
  ];
  return tests.filter((test) => test !== undefined);
}

/** ima_match_rule_data: there is no file, and only rules that name the hook are meant. */
function testsOfData(
  { uid, gid, keyrings, label }: Rule,
  hook: 'KEY_CHECK' | 'CRITICAL_DATA',
): readonly Test[] {
  const names = hook === 'KEY_CHECK' ? keyrings : label;
  const isNamed: Test = ({ data }) => data !== undefined && names?.includes(data) === true;
  const tests = [...testsOfIds({ ...(uid && { uid }), ...(gid && { gid }) }), names && isNamed];
  return tests.filter((test) => test !== undefined);
}

function testOfMask({ mask }: Rule): Test | undefined {
  if (!mask) {
    return undefined;
  }
  const { bit, inverted } = mask;
  return inverted ? (query) => (query.mask & bit) !== 0 : (query) => query.mask === bit;
}

function testsOfFileSystem({
  fsmagic,
  fsname,
  fs_subtype,
  fsuuid,
}: Rule): readonly (Test | undefined)[] {
  return [
    fsmagic === undefined ? undefined : ({ object }) => object.fsMagic === fsmagic,
    fsname === undefined ? undefined : ({ object }) => object.fsName === fsname,
    fs_subtype === undefined ? undefined : ({ object }) => object.fsSubtype === fs_subtype,
    fsuuid === undefined ? undefined : ({ object }) => object.fsUuid === fsuuid,
  ];
}

type IdRule = Pick<Rule, 'uid' | 'euid' | 'gid' | 'egid' | 'fowner' | 'fgroup'>;

function testsOfIds(rule: IdRule): readonly (Test | undefined)[] {
  const [uid, gid, fowner, fgroup] = [rule.uid, rule.gid, rule.fowner, rule.fgroup].map(holdsFor);
  const [euid, egid] = [rule.euid, rule.egid].map(holdsFor);
  return [
    uid && (({ subject }) => uid(subject.uid)),
    // With the capability to change it, the saved and real id are as good as effective.
    euid &&
      (({ subject }) =>
        euid(subject.euid) || (subject.capSetuid && (euid(subject.suid) || euid(subject.uid)))),
    gid && (({ subject }) => gid(subject.gid)),
    egid &&
      (({ subject }) =>
        egid(subject.egid) || (subject.capSetgid && (egid(subject.sgid) || egid(subject.gid)))),
    fowner && (({ object }) => fowner(object.uid)),
    fgroup && (({ object }) => fgroup(object.gid)),
  ];
}

function holdsFor(condition: IdCondition | undefined): ((id: number) => boolean) | undefined {
  if (!condition) {
    return undefined;
  }
  const { comparison, id: bound } = condition;
  switch (comparison) {
    case '=':
      return (id) => id === bound;
    case '<':
      return (id) => id < bound;
    case '>':
      return (id) => id > bound;
    default:
      return comparison satisfies never;
  }
}

/** security_audit_rule_match */
function testOfLabel(rule: Rule, word: LsmWord): Test | undefined {
  const wanted = rule[word];
  if (wanted === undefined) {
    return undefined;
  }
  return word.startsWith('subj_')
    ? ({ subject }) => matchesLabel(word, wanted, subject.label)
    : ({ object }) => matchesLabel(word, wanted, object.label);
}
