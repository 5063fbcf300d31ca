import type { Hook } from '../ports.js';
import type { Complaint, ConditionName } from './conditions.js';
import { type Action, familyOf, type Rule } from './rule.js';

/** What may stand in one rule with a func (ima_validate_rule, ima_policy.c). */
interface FuncRestriction {
  /** Absent: any action. */
  readonly family?: 'measure' | 'appraise';
  readonly conditions: readonly ConditionName[];
  /** An option the func demands. */
  readonly requires?: string;
}

const ids: readonly ConditionName[] = ['uid', 'euid', 'gid', 'egid', 'fowner', 'fgroup'];
const fileSystem: readonly ConditionName[] = ['fsmagic', 'fsname', 'fsuuid'];

/** Funcs not named here, and rules without func, take every condition. */
const RESTRICTIONS: Readonly<Partial<Record<Hook, FuncRestriction>>> = {
  KEXEC_CMDLINE: { family: 'measure', conditions: [...fileSystem, ...ids, 'pcr'] },
  KEY_CHECK: { family: 'measure', conditions: ['uid', 'gid', 'pcr'] },
  CRITICAL_DATA: { family: 'measure', conditions: ['uid', 'gid', 'pcr'] },
  SETXATTR_CHECK: { family: 'appraise', conditions: [], requires: 'appraise_algos=' },
};

/** A complaint and the word of the rule it is about. */
export interface MisfitComplaint extends Complaint {
  readonly about: 'action' | ConditionName;
}

/** What is wrong with the combination of a rule's parts, each of which is right by itself. */
export function validateRule(rule: Rule): MisfitComplaint | undefined {
  if (rule.pcr !== undefined && rule.action !== 'measure') {
    const message = `pcr cannot be used with ${rule.action}`;
    return { about: 'pcr', message, hint: 'leave pcr out' };
  }
  const restriction = rule.func && RESTRICTIONS[rule.func];
  if (!restriction) {
    return undefined;
  }
  const { family, conditions, requires } = restriction;
  if (family && !isOfFamily(rule.action, family)) {
    const message = `func=${rule.func} cannot be used with ${rule.action}`;
    return { about: 'action', message, hint: `write ${family} func=${rule.func}` };
  }
  const present = (['mask', ...fileSystem, ...ids] as const).filter(
    (name) => rule[name] !== undefined,
  );
  const misfit = present.find((name) => !conditions.includes(name));
  if (misfit) {
    const message = `${misfit} cannot be used with func=${rule.func}`;
    return { about: misfit, message, hint: `leave ${misfit} out` };
  }
  return requires === undefined
    ? undefined
    : {
        about: 'func',
        message: `func=${rule.func} requires ${requires}, which is not supported yet`,
        hint: 'leave the rule out',
      };
}

/** SETXATTR_CHECK takes `appraise` alone, the measuring funcs their dont_ twin too. */
function isOfFamily(action: Action, family: 'measure' | 'appraise'): boolean {
  return family === 'appraise' ? action === 'appraise' : familyOf(action) === family;
}
