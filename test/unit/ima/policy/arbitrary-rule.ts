import fc from 'fast-check';
import { actions, type Rule } from '../../../../src/ima/policy/rule.js';
import { validateRule } from '../../../../src/ima/policy/validate-rule.js';
import type { Hook } from '../../../../src/ima/ports.js';

/** Hooks a rule may name. */
export const hooks: readonly Hook[] = [
  'FILE_CHECK',
  'MMAP_CHECK',
  'MMAP_CHECK_REQPROT',
  'BPRM_CHECK',
  'CREDS_CHECK',
  'MODULE_CHECK',
  'FIRMWARE_CHECK',
  'KEXEC_KERNEL_CHECK',
  'KEXEC_INITRAMFS_CHECK',
  'KEXEC_CMDLINE',
  'POLICY_CHECK',
  'KEY_CHECK',
  'CRITICAL_DATA',
];

const optional = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });

/** Rules the parser accepts; ids come from `id`, so that a matcher's test can keep them few. */
export function arbitraryRule(id: fc.Arbitrary<number>): fc.Arbitrary<Rule> {
  const condition = optional(
    fc.record(
      { comparison: fc.constantFrom('=' as const, '<' as const, '>' as const), id },
      { noNullPrototype: true },
    ),
  );
  return fc
    .record({
      action: fc.constantFrom(...actions),
      func: optional(fc.constantFrom(...hooks)),
      mask: optional(
        fc.record(
          { bit: fc.constantFrom(1, 2, 4, 8), inverted: fc.boolean() },
          { noNullPrototype: true },
        ),
      ),
      fsmagic: optional(fc.constantFrom(0, 0xef53, 0x01021994)),
      fsname: optional(fc.constantFrom('ext4', 'a=b', '#')),
      fsuuid: optional(fc.uuid()),
      uid: condition,
      euid: condition,
      gid: condition,
      egid: condition,
      fowner: condition,
      fgroup: condition,
    })
    .map((parts) => {
      const { uid, gid, euid, egid, ...others } = parts;
      const either = { ...others, ...(uid ? { uid } : { euid }), ...(gid ? { gid } : { egid }) };
      const given = Object.entries(either).filter(([, value]) => value !== undefined);
      return { ...Object.fromEntries(given), source: 'any', line: 1 } as unknown as Rule;
    })
    .filter((rule) => validateRule(rule) === undefined);
}
