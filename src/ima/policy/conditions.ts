import { failure, type Result, success } from '../../base/result.js';
import { type Hook, MAY_APPEND, MAY_EXEC, MAY_READ, MAY_WRITE } from '../ports.js';
import { templateByName, templateNames } from '../template/template.js';
import { nearestWord } from './nearest-word.js';
import type { Action, IdCondition, Rule } from './rule.js';

export type Comparison = IdCondition['comparison'];

/** The words that may stand before a comparison, in the order in which the kernel shows them. */
export type ConditionName = Exclude<keyof Rule, 'action' | 'source' | 'line'>;

/** What is wrong with a value, and what to write instead. */
export interface Complaint {
  readonly message: string;
  readonly hint: string;
}

/** One kind of condition: how it is written, read and shown. */
export interface Condition {
  readonly name: ConditionName;
  readonly comparisons: readonly Comparison[];
  /** May be given again, the last counting (the kernel does not look). */
  readonly repeatable?: true;
  /** The kernel keeps both in one place: a rule has one of them at most. */
  readonly insteadOf?: ConditionName;
  /** Read only behind this action. */
  readonly after?: Action;
  readonly parse: (value: string, comparison: Comparison) => Result<Partial<Rule>, Complaint>;
  /** `name=value` in canonical form, undefined where the rule has no such condition. */
  readonly show: (rule: Rule) => string | undefined;
}

const HOOK_OF_FUNC: Readonly<Record<string, Hook>> = {
  FILE_CHECK: 'FILE_CHECK',
  PATH_CHECK: 'FILE_CHECK', // the name until 3.6
  MMAP_CHECK: 'MMAP_CHECK',
  FILE_MMAP: 'MMAP_CHECK', // the name until 3.10
  MMAP_CHECK_REQPROT: 'MMAP_CHECK_REQPROT',
  BPRM_CHECK: 'BPRM_CHECK',
  CREDS_CHECK: 'CREDS_CHECK',
  MODULE_CHECK: 'MODULE_CHECK',
  FIRMWARE_CHECK: 'FIRMWARE_CHECK',
  KEXEC_KERNEL_CHECK: 'KEXEC_KERNEL_CHECK',
  KEXEC_INITRAMFS_CHECK: 'KEXEC_INITRAMFS_CHECK',
  KEXEC_CMDLINE: 'KEXEC_CMDLINE',
  POLICY_CHECK: 'POLICY_CHECK',
  KEY_CHECK: 'KEY_CHECK',
  CRITICAL_DATA: 'CRITICAL_DATA',
  SETXATTR_CHECK: 'SETXATTR_CHECK',
};

const MASK_BITS: Readonly<Record<string, number>> = { MAY_EXEC, MAY_WRITE, MAY_READ, MAY_APPEND };

/** (uid_t)-1 is no user. */
const INVALID_ID = 0xffffffff;

const func: Condition = {
  name: 'func',
  comparisons: ['='],
  parse: (value) => {
    const hook = lookUp(HOOK_OF_FUNC, value);
    return hook ? success({ func: hook }) : unknownWord('func', value, Object.keys(HOOK_OF_FUNC));
  },
  show: (rule) => rule.func && `func=${rule.func}`,
};

const mask: Condition = {
  name: 'mask',
  comparisons: ['='],
  parse: (value) => {
    const inverted = value.startsWith('^');
    const word = inverted ? value.slice(1) : value;
    const bit = lookUp(MASK_BITS, word);
    return bit
      ? success({ mask: { bit, inverted } })
      : unknownWord('mask', word, Object.keys(MASK_BITS));
  },
  show: (rule) => {
    const word = Object.keys(MASK_BITS).find((name) => MASK_BITS[name] === rule.mask?.bit);
    return word && `mask=${rule.mask?.inverted ? '^' : ''}${word}`;
  },
};

const fsmagic: Condition = {
  name: 'fsmagic',
  comparisons: ['='],
  parse: (value) => {
    // kstrtoul in base 16: an optional plus sign and an optional 0x
    const digits = /^\+?(?:0x)?([0-9a-f]+)$/i.exec(value)?.[1];
    const magic = digits === undefined ? Number.NaN : Number.parseInt(digits, 16);
    return Number.isSafeInteger(magic)
      ? success({ fsmagic: magic })
      : complain(`'${value}' is not a hexadecimal number`, 'fsmagic takes hex such as 0xef53');
  },
  show: (rule) =>
    rule.fsmagic === undefined ? undefined : `fsmagic=0x${rule.fsmagic.toString(16)}`,
};

const fsname: Condition = {
  name: 'fsname',
  comparisons: ['='],
  repeatable: true,
  parse: (value) => success({ fsname: value }),
  show: (rule) => (rule.fsname === undefined ? undefined : `fsname=${rule.fsname}`),
};

const fsuuid: Condition = {
  name: 'fsuuid',
  comparisons: ['='],
  parse: (value) =>
    /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)
      ? success({ fsuuid: value.toLowerCase() })
      : complain(`'${value}' is not a UUID`, 'fsuuid takes 8-4-4-4-12 hex digits, see blkid'),
  show: (rule) => (rule.fsuuid === undefined ? undefined : `fsuuid=${rule.fsuuid}`),
};

/** measured_pcrs of struct ima_iint_cache has a bit for each (INVALID_PCR, ima_policy.c). */
const PCRS = 64;

const pcr: Condition = {
  name: 'pcr',
  comparisons: ['='],
  repeatable: true,
  parse: (value) => {
    const number = /^\+?[0-9]+$/.test(value) ? Number(value) : Number.NaN;
    return number < PCRS
      ? success({ pcr: number })
      : complain(`'${value}' is not a PCR`, `pcr takes a decimal number below ${PCRS}`);
  },
  show: (rule) => (rule.pcr === undefined ? undefined : `pcr=${rule.pcr}`),
};

const template: Condition = {
  name: 'template',
  comparisons: ['='],
  after: 'measure',
  parse: (value) =>
    templateByName(value)
      ? success({ template: value })
      : unknownWord('template', value, templateNames),
  show: (rule) => rule.template && `template=${rule.template}`,
};

function idCondition(
  name: 'uid' | 'euid' | 'gid' | 'egid' | 'fowner' | 'fgroup',
  insteadOf?: ConditionName,
): Condition {
  return {
    name,
    comparisons: ['=', '>', '<'],
    ...(insteadOf && { insteadOf }),
    parse: (value, comparison) => {
      const id = /^\+?[0-9]+$/.test(value) ? Number(value) : Number.NaN;
      return id < INVALID_ID
        ? success({ [name]: { comparison, id } })
        : complain(`'${value}' is not an id`, `${name} takes a decimal number below ${INVALID_ID}`);
    },
    show: (rule) => rule[name] && `${name}${rule[name].comparison}${rule[name].id}`,
  };
}

/** In the order of ima_policy_show. */
export const conditions: readonly Condition[] = [
  func,
  mask,
  fsmagic,
  fsname,
  pcr,
  fsuuid,
  idCondition('uid', 'euid'),
  idCondition('euid', 'uid'),
  idCondition('gid', 'egid'),
  idCondition('egid', 'gid'),
  idCondition('fowner'),
  idCondition('fgroup'),
  template,
];

function lookUp<Value>(table: Readonly<Record<string, Value>>, word: string): Value | undefined {
  return Object.hasOwn(table, word) ? table[word] : undefined;
}

function complain(message: string, hint: string): Result<never, Complaint> {
  return failure({ message, hint });
}

function unknownWord(
  name: ConditionName,
  word: string,
  known: readonly string[],
): Result<never, Complaint> {
  const nearest = nearestWord(word, known);
  const hint = nearest ? `did you mean ${nearest}?` : `${name} takes ${known.join(', ')}`;
  return complain(`'${word}' is not a ${name}`, hint);
}
