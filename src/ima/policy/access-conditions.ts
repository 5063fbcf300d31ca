import { type Result, success } from '../../base/result.js';
import { type Hook, MAY_APPEND, MAY_EXEC, MAY_READ, MAY_WRITE } from '../ports.js';
import {
  type Complaint,
  type Condition,
  type ConditionName,
  complain,
  outOfRange,
  unknownWord,
} from './condition.js';
import type { Rule } from './rule.js';

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

/** UUID_STRING_LEN */
const UUID_LENGTH = 36;

/** (uid_t)-1 is no user. */
const INVALID_ID = 0xffffffff;

/** unsigned long */
const LIMIT = 1n << 64n;

export const func: Condition = {
  name: 'func',
  comparisons: ['='],
  parse: (value) => {
    const hook = lookUp(HOOK_OF_FUNC, value);
    return hook ? success({ func: hook }) : unknownWord('func', value, Object.keys(HOOK_OF_FUNC));
  },
  show: (rule) => rule.func && `func=${rule.func}`,
};

export const mask: Condition = {
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

export const fsmagic: Condition = {
  name: 'fsmagic',
  comparisons: ['='],
  parse: (value) => {
    // kstrtoul in base 16: an optional plus sign and an optional 0x
    const digits = /^\+?(?:0x)?([0-9a-f]+)$/i.exec(value)?.[1];
    const hint = /^[a-z]\w+$/i.test(value)
      ? `did you mean fsname=${value}?`
      : 'fsmagic takes hex such as 0xef53';
    if (digits === undefined) {
      return complain(`'${value}' is not a hexadecimal number`, hint);
    }
    const magic = BigInt(`0x${digits}`);
    return magic < LIMIT
      ? success({ fsmagic: magic > Number.MAX_SAFE_INTEGER ? magic : Number(magic) })
      : outOfRange(value, hint);
  },
  show: (rule) =>
    rule.fsmagic === undefined ? undefined : `fsmagic=0x${rule.fsmagic.toString(16)}`,
};

export const fsname: Condition = { ...text('fsname'), repeatable: true };

/** Since 6.19. */
export const fsSubtype: Condition = text('fs_subtype');

export const fsuuid: Condition = {
  name: 'fsuuid',
  comparisons: ['='],
  parse: (value) =>
    // uuid_parse does not look behind its 36 characters.
    /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/i.test(value)
      ? success({ fsuuid: value.slice(0, UUID_LENGTH).toLowerCase() })
      : complain(`'${value}' is not a UUID`, 'fsuuid takes 8-4-4-4-12 hex digits, see blkid'),
  show: (rule) => (rule.fsuuid === undefined ? undefined : `fsuuid=${rule.fsuuid}`),
};

export function idCondition(
  name: 'uid' | 'euid' | 'gid' | 'egid' | 'fowner' | 'fgroup',
  insteadOf?: ConditionName,
): Condition {
  return {
    name,
    comparisons: ['=', '>', '<'],
    ...(insteadOf && { insteadOf }),
    parse: (value, comparison): Result<Partial<Rule>, Complaint> => {
      const id = /^\+?[0-9]+$/.test(value) ? Number(value) : Number.NaN;
      if (id < INVALID_ID) {
        return success({ [name]: { comparison, id } });
      }
      const hint =
        value === 'root'
          ? `did you mean ${name}${comparison}0?`
          : `${name} takes a decimal number below ${INVALID_ID}`;
      return Number.isFinite(id) && BigInt(value.replace('+', '')) >= LIMIT
        ? outOfRange(value, hint)
        : complain(`'${value}' is not an id`, hint);
    },
    show: (rule) => rule[name] && `${name}${rule[name].comparison}${rule[name].id}`,
  };
}

function text(name: 'fsname' | 'fs_subtype'): Condition {
  return {
    name,
    comparisons: ['='],
    parse: (value) => success({ [name]: value }),
    show: (rule) => (rule[name] === undefined ? undefined : `${name}=${rule[name]}`),
  };
}

function lookUp<Value>(table: Readonly<Record<string, Value>>, word: string): Value | undefined {
  return Object.hasOwn(table, word) ? table[word] : undefined;
}
