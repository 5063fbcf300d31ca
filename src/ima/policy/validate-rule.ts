import type { Hook } from '../ports.js';
import type { Complaint, ConditionName } from './condition.js';
import { LSM_WORDS } from './lsm-conditions.js';
import { familyOf, type Rule } from './rule.js';

/** What may stand in one rule with a func (ima_validate_rule, ima_policy.c). */
interface FuncRestriction {
  /** Absent: any action; appraise: that action alone, not its dont_ twin. */
  readonly family?: 'measure' | 'appraise';
  readonly conditions: ReadonlySet<ConditionName>;
  /** An option the func demands. */
  readonly requires?: 'appraise_algos';
}

const ids = ['uid', 'euid', 'gid', 'egid', 'fowner', 'fgroup'] as const;
const fileSystem = ['fsmagic', 'fsname', 'fs_subtype', 'fsuuid'] as const;
const ofFiles = [
  'mask',
  ...fileSystem,
  ...ids,
  'pcr',
  'permit_directio',
  'appraise_algos',
] as const;

/** The kernel looks at neither of these here. */
const free = ['func', 'template', 'appraise_flag'] as unknown as ConditionName[];

const FILE: FuncRestriction = {
  conditions: new Set<ConditionName>([
    ...free,
    ...ofFiles,
    ...LSM_WORDS,
    'appraise_type',
    'digest_type',
  ]),
};

const MODULE: FuncRestriction = {
  conditions: new Set<ConditionName>([...free, ...ofFiles, ...LSM_WORDS, 'appraise_type']),
};

/** Funcs not named here, and rules without func, are about files. */
const RESTRICTIONS: Readonly<Partial<Record<Hook, FuncRestriction>>> = {
  MODULE_CHECK: MODULE,
  KEXEC_KERNEL_CHECK: MODULE,
  KEXEC_INITRAMFS_CHECK: MODULE,
  KEXEC_CMDLINE: {
    family: 'measure',
    conditions: new Set<ConditionName>([...free, ...fileSystem, ...ids, ...LSM_WORDS, 'pcr']),
  },
  KEY_CHECK: {
    family: 'measure',
    conditions: new Set<ConditionName>([...free, 'uid', 'gid', 'pcr', 'keyrings']),
  },
  CRITICAL_DATA: {
    family: 'measure',
    conditions: new Set<ConditionName>([...free, 'uid', 'gid', 'pcr', 'label']),
  },
  SETXATTR_CHECK: {
    family: 'appraise',
    conditions: new Set<ConditionName>([...free, 'appraise_algos']),
    requires: 'appraise_algos',
  },
};

/** A complaint and the word of the rule it is about. */
export interface MisfitComplaint extends Complaint {
  readonly about: 'action' | ConditionName;
}

/** What is wrong with the combination of a rule's parts, each of which is right by itself. */
export function validateRule(rule: Rule): MisfitComplaint | undefined {
  return misfitOfAction(rule) ?? misfitOfFunc(rule) ?? misfitOfVerity(rule);
}

function misfitOfAction(rule: Rule): MisfitComplaint | undefined {
  if (rule.pcr !== undefined && rule.action !== 'measure') {
    return cannotBeUsed('pcr', `with ${rule.action}`);
  }
  const ofAppraise = (['appraise_type', 'appraise_algos'] as const).find((name) => rule[name]);
  return ofAppraise && rule.action !== 'appraise'
    ? cannotBeUsed(ofAppraise, `with ${rule.action}`)
    : undefined;
}

function misfitOfFunc(rule: Rule): MisfitComplaint | undefined {
  const restriction = (rule.func && RESTRICTIONS[rule.func]) ?? FILE;
  const { family, conditions, requires } = restriction;
  if (family && !isOfFamily(rule, family)) {
    const message = `func=${rule.func} cannot be used with ${rule.action}`;
    return { about: 'action', message, hint: `write ${family} func=${rule.func}` };
  }
  const where = rule.func ? `with func=${rule.func}` : 'without func=';
  const misfit = conditionNames(rule).find((name) => !conditions.has(name));
  if (misfit) {
    return cannotBeUsed(misfit, where);
  }
  if (rule.appraise_type === 'imasig|modsig' && restriction !== MODULE) {
    // Only what the kernel reads as a whole before it is used can carry its signature behind it.
    const hint = 'write appraise_type=imasig, or func=MODULE_CHECK';
    const message = `appraise_type=imasig|modsig cannot be used ${where}`;
    return { about: 'appraise_type', message, hint };
  }
  return requires && !rule[requires]
    ? {
        about: 'func',
        message: `func=${rule.func} requires ${requires}=`,
        hint: `write ${requires}=sha256, say`,
      }
    : undefined;
}

/** What fs-verity protects changes under nobody's hash: only a signature says which file it is. */
function misfitOfVerity(rule: Rule): MisfitComplaint | undefined {
  return rule.action === 'appraise' && rule.digest_type && !rule.appraise_type
    ? {
        about: 'digest_type',
        message: 'digest_type=verity requires a signature',
        hint: 'add appraise_type=sigv3',
      }
    : undefined;
}

/** Parts of a rule that are no conditions. */
const NO_CONDITIONS: readonly string[] = ['action', 'source', 'line'];

function conditionNames(rule: Rule): ConditionName[] {
  return Object.keys(rule).filter((name) => !NO_CONDITIONS.includes(name)) as ConditionName[];
}

function cannotBeUsed(name: ConditionName, where: string): MisfitComplaint {
  return { about: name, message: `${name} cannot be used ${where}`, hint: `leave ${name} out` };
}

/** SETXATTR_CHECK takes `appraise` alone, the measuring funcs their dont_ twin too. */
function isOfFamily({ action }: Rule, family: 'measure' | 'appraise'): boolean {
  return family === 'appraise' ? action === 'appraise' : familyOf(action) === family;
}
