import type { HookCall } from '../../hooks-of-open.js';
import { type Hook, MAY_WRITE } from '../../ports.js';
import type { ConditionName } from '../condition.js';
import type { IdCondition, Rule } from '../rule.js';
import { showRule } from '../show-rule.js';
import type { Finding, Linted } from './finding.js';
import { calls } from './hooks-that-run.js';
import { idRange, isWithin } from './id-range.js';
import { implies } from './implies.js';
import { matchesCall } from './matches-call.js';

/** Conditions that make a rule one about some files, or some accesses, or some callers. */
const NARROWING = ['func', 'mask', 'fowner', 'fgroup', 'obj_user', 'obj_role', 'obj_type'].concat([
  'uid',
  'euid',
  'gid',
  'egid',
  'subj_user',
  'subj_role',
  'subj_type',
]);

/** What is code to a kernel, and lives where root can write. */
const CODE: readonly Hook[] = ['MODULE_CHECK', 'FIRMWARE_CHECK', 'KEXEC_KERNEL_CHECK'];

/** Parts of a rule that say how a file is accessed. */
const OF_ACCESS = ['func', 'mask'] as const;

const CALLERS = ['uid', 'euid', 'gid', 'egid'] as const;

/** Broken since long: whoever can write a file can have another of the same digest. */
const WEAK: readonly string[] = ['md4', 'md5', 'sha1'];

/** `appraise` rules that refuse more, or trust more, than whoever wrote them may have meant. */
export function appraising({ policy: { rules } }: Linted): Finding[] {
  return rules
    .filter(({ action }) => action === 'appraise')
    .flatMap((rule) => [
      ...weakAlgorithms(rule),
      ...(rule.func === 'SETXATTR_CHECK'
        ? []
        : [
            ...everything(rule),
            ...staleHash(rule, rules),
            ...digestOfWriter(rule),
            ...unsigned(rule),
            ...rootEscapes(rule, rules),
          ]),
    ]);
}

function everything(rule: Rule): Finding[] {
  if (NARROWING.some((name) => name in rule)) {
    return [];
  }
  const message =
    'every file without a label is refused, to everybody, root and the labelling included';
  const remedy = 'name the files, as by fowner=0, or the access, as by func=BPRM_CHECK';
  return [{ severity: 'warning', code: 'appraises-everything', rule, message, remedy }];
}

/**
 * Who writes is not appraised, so that security.ima is not written at the last close: the file is
 * refused from then on (invalid-hash), and a new one at once (missing-hash). Signed files are not written.
 */
function staleHash(rule: Rule, rules: readonly Rule[]): Finding[] {
  if (isSigned(rule) || rule.func === 'POLICY_CHECK' || matchesWriting(rule)) {
    return [];
  }
  const files = withoutParts(rule, ...OF_ACCESS);
  const isRenewed = rules.some(
    (other) =>
      (other.action === 'hash' || (other.action === 'appraise' && !isSigned(other))) &&
      matchesWriting(other) &&
      implies(files, withoutParts(other, ...OF_ACCESS)),
  );
  if (isRenewed) {
    return [];
  }
  const conditions = withoutParts(files, 'appraise_algos', 'permit_directio');
  const renewing = showRule({ ...conditions, action: 'hash' }).trimEnd();
  const message =
    'writing is not matched: a file that is changed keeps its old hash, and is refused then';
  const remedy = `add '${renewing}', or demand signatures (appraise_type=imasig)`;
  return [{ severity: 'warning', code: 'stale-hash', rule, message, remedy }];
}

function matchesWriting(rule: Rule): boolean {
  return calls.some((call) => isWriting(call) && matchesCall(rule, call));
}

function isWriting({ hook, mask }: HookCall): boolean {
  return hook === 'FILE_CHECK' && (mask & MAY_WRITE) !== 0;
}

function digestOfWriter(rule: Rule): Finding[] {
  const isRoots = rule.fowner?.comparison === '=' && rule.fowner.id === 0;
  if (isSigned(rule) || isRoots || !matchesWriting(rule)) {
    return [];
  }
  const message =
    'a digest vouches for whoever may write: it is renewed with each change they make';
  const remedy = 'demand signatures (appraise_type=imasig) of what its owners are not to change';
  return [{ severity: 'note', code: 'digest-of-writer', rule, message, remedy }];
}

function unsigned(rule: Rule): Finding[] {
  const { func } = rule;
  if (isSigned(rule) || func === undefined) {
    return [];
  }
  const remedy = 'add appraise_type=imasig';
  if (func === 'POLICY_CHECK') {
    const message = 'whoever may label a file may load it as policy, and so switch off this rule';
    return [{ severity: 'warning', code: 'unsigned-policy', rule, message, remedy }];
  }
  if (!CODE.includes(func)) {
    return [];
  }
  const message = 'whoever may label a file may have the kernel run it';
  return [{ severity: 'note', code: 'unsigned-code', rule, message, remedy }];
}

/** Root can become whom it wants to, so that a rule about others is none for it. */
function rootEscapes(rule: Rule, rules: readonly Rule[]): Finding[] {
  const name = CALLERS.find((caller) => excludesRoot(rule[caller]));
  if (name === undefined) {
    return [];
  }
  const ofAll = withoutParts(rule, name);
  if (rules.some((other) => other.action === 'appraise' && implies(ofAll, other))) {
    return [];
  }
  const message = `${name} leaves out root, and whoever may become another user`;
  const remedy = `name the files instead of the callers, as by fowner=, or add a rule for ${name}=0`;
  return [{ severity: 'warning', code: 'root-escapes', rule, message, remedy }];
}

function excludesRoot(condition: IdCondition | undefined): boolean {
  return condition !== undefined && !isWithin({ least: 0, most: 0 }, idRange(condition));
}

function weakAlgorithms(rule: Rule): Finding[] {
  const weak = rule.appraise_algos?.filter((name) => WEAK.includes(name)) ?? [];
  if (weak.length === 0) {
    return [];
  }
  const message = `files of one ${weak[0]} digest and different content can be made by anybody`;
  const remedy = `leave ${weak.join(' and ')} out of appraise_algos`;
  return [{ severity: 'warning', code: 'weak-algorithm', rule, message, remedy }];
}

function isSigned({ appraise_type }: Rule): boolean {
  return appraise_type !== undefined;
}

function withoutParts(rule: Rule, ...names: readonly ConditionName[]): Rule {
  const left = Object.entries(rule).filter(([name]) => !names.some((other) => other === name));
  return Object.fromEntries(left) as unknown as Rule;
}
