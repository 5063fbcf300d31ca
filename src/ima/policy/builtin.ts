import { failure, type Result, success } from '../../base/result.js';
import type { PolicyMachine } from './condition.js';
import { parsePolicy } from './parse-policy.js';
import { Policy } from './policy.js';
import type { Rule } from './rule.js';

const FAIL_SECURELY = 'fail_securely';

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
  secure_boot: [
    'appraise func=MODULE_CHECK appraise_type=imasig',
    'appraise func=FIRMWARE_CHECK appraise_type=imasig',
    'appraise func=KEXEC_KERNEL_CHECK appraise_type=imasig',
    'appraise func=POLICY_CHECK appraise_type=imasig',
  ],
  appraise_tcb: [
    ...appraisedNever.map((magic) => `dont_appraise fsmagic=${magic}`),
    // As in kernels whose policy can be written more than once (IMA_WRITE_POLICY).
    'appraise func=POLICY_CHECK appraise_type=imasig',
    'appraise fowner=0',
  ],
  critical_data: ['measure func=CRITICAL_DATA'],
  // Has no rules: what IMA cannot trust fails wherever it is appraised.
  [FAIL_SECURELY]: [],
};

/** Built-in rules ask nothing of the machine. */
const NO_MACHINE: PolicyMachine = { canHash: () => false, lsm: undefined };

/** Whether the text names built-in policies only, and so is not a file's name. */
export function isBuiltinPolicy(text: string): boolean {
  return split(text).every((name) => Object.hasOwn(POLICIES, name));
}

/**
 * The policy of `ima_policy=`: one name or several joined by '|'; each rule's source is the name of
 * its policy. The problem is a sentence.
 */
export function builtinPolicy(text: string): Result<Policy, string> {
  const names = split(text);
  const unknown = names.find((name) => !Object.hasOwn(POLICIES, name));
  if (unknown !== undefined) {
    const known = Object.keys(POLICIES).join(', ');
    return failure(`there is no built-in policy '${unknown}': use ${known}`);
  }
  const rules: Rule[] = [];
  for (const [name, lines] of Object.entries(POLICIES)) {
    const wanted = names.includes(name) ? lines : [];
    const parsed = parsePolicy(wanted.join('\n'), name, NO_MACHINE);
    if (!parsed.ok) {
      return failure(`built-in policy ${name} does not parse`);
    }
    rules.push(...parsed.value);
  }
  return success(new Policy(rules, names.includes(FAIL_SECURELY)));
}

function split(text: string): string[] {
  return text.split('|').map((name) => name.trim());
}
