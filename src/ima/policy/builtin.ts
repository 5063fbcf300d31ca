import { failure, type Result, success } from '../../base/result.js';
import { parsePolicy } from './parse-policy.js';
import type { Rule } from './rule.js';

/** Magics of the file systems that hold no files of their own (ima_policy.c). */
const PROC = '0x9fa0';
const SYSFS = '0x62656572';
const DEBUGFS = '0x64626720';
const TMPFS = '0x1021994';
const RAMFS = '0x858458f6';
const DEVPTS = '0x1cd1';
const BINFMT_MISC = '0x42494e4d';
const SECURITYFS = '0x73636673';
const SELINUX = '0xf97cff8c';
const SMACK = '0x43415d53';
const CGROUP = '0x27e0eb';
const CGROUP2 = '0x63677270';
const NSFS = '0x6e736673';
const EFIVARFS = '0xde5e81e4';

const measuredNever = [PROC, SYSFS, DEBUGFS]
  .concat([`${TMPFS} func=FILE_CHECK`, DEVPTS, BINFMT_MISC, SECURITYFS, SELINUX, SMACK])
  .concat([CGROUP, CGROUP2, NSFS, EFIVARFS]);

const appraisedNever = [PROC, SYSFS, DEBUGFS, TMPFS, RAMFS, DEVPTS, BINFMT_MISC, SECURITYFS].concat(
  [SELINUX, SMACK, NSFS, EFIVARFS, CGROUP, CGROUP2],
);

/** Rules by name, in the order in which ima_init_policy adds them. */
const POLICIES: Readonly<Record<string, readonly string[]>> = {
  tcb: [
    ...measuredNever.map((magic) => `dont_measure fsmagic=${magic}`),
    'measure func=MMAP_CHECK mask=MAY_EXEC',
    'measure func=BPRM_CHECK mask=MAY_EXEC',
    'measure func=FILE_CHECK mask=^MAY_READ euid=0',
    'measure func=FILE_CHECK mask=^MAY_READ uid=0',
    'measure func=MODULE_CHECK',
    'measure func=FIRMWARE_CHECK',
    'measure func=POLICY_CHECK',
  ],
  // A kernel with IMA_WRITE_POLICY also demands signed policies here: with signatures.
  appraise_tcb: [
    ...appraisedNever.map((magic) => `dont_appraise fsmagic=${magic}`),
    'appraise fowner=0',
  ],
  critical_data: ['measure func=CRITICAL_DATA'],
};

/** Known to the kernel, not expressible yet. */
const NOT_YET: Readonly<Record<string, string>> = {
  secure_boot: 'it demands signatures',
  fail_securely: 'it judges file systems whose signatures cannot be verified',
};

/** Whether the text names built-in policies only, and so is not a file's name. */
export function isBuiltinPolicy(text: string): boolean {
  return split(text).every((name) => Object.hasOwn(POLICIES, name) || Object.hasOwn(NOT_YET, name));
}

/**
 * The rules of `ima_policy=`: one name or several joined by '|'; each rule's source is the name of
 * its policy. The problem is a sentence.
 */
export function builtinPolicy(text: string): Result<Rule[], string> {
  const names = split(text);
  for (const name of names) {
    if (Object.hasOwn(NOT_YET, name)) {
      return failure(`built-in policy ${name} is not supported yet: ${NOT_YET[name]}`);
    }
    if (!Object.hasOwn(POLICIES, name)) {
      return failure(
        `there is no built-in policy '${name}': use ${Object.keys(POLICIES).join(', ')}`,
      );
    }
  }
  const rules: Rule[] = [];
  for (const [name, lines] of Object.entries(POLICIES)) {
    const parsed = names.includes(name) ? parsePolicy(lines.join('\n'), name) : success([]);
    if (!parsed.ok) {
      return failure(`built-in policy ${name} does not parse`);
    }
    rules.push(...parsed.value);
  }
  return success(rules);
}

function split(text: string): string[] {
  return text.split('|').map((name) => name.trim());
}
