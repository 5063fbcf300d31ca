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
  'SETXATTR_CHECK',
];

/** File systems a rule may name. */
export const uuids: readonly string[] = [
  '6f6679a0-0000-0000-0000-00000000abcd',
  'ffffffff-ffff-4fff-bfff-ffffffffffff',
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
  const label = optional(fc.constantFrom('u', 'r', 't', 'v'));
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
      fsmagic: optional(fc.constantFrom(0, 0xef53, 0x01021994, 0xffffffffffffffffn)),
      fsname: optional(fc.constantFrom('ext4', 'a=b', '#')),
      fs_subtype: optional(fc.constantFrom('sshfs', 'x')),
      obj_user: label,
      obj_role: label,
      obj_type: label,
      subj_user: label,
      subj_role: label,
      subj_type: label,
      keyrings: optional(fc.constantFrom(['.ima'], ['.ima', '.evm'])),
      label: optional(fc.constantFrom(['selinux'], ['a', 'b'])),
      pcr: optional(fc.nat(63)),
      template: optional(fc.constantFrom('ima-ng', 'ima-sig')),
      appraise_type: optional(
        fc.constantFrom('imasig' as const, 'sigv3' as const, 'imasig|modsig' as const),
      ),
      appraise_algos: optional(fc.constantFrom(['sha256'], ['sha1', 'sha512'])),
      digest_type: optional(fc.constant('verity' as const)),
      permit_directio: optional(fc.constant(true as const)),
      fsuuid: optional(fc.constantFrom(...uuids)),
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
      return fitting({ ...Object.fromEntries(given), source: 'any', line: 1 } as unknown as Rule);
    });
}

/** Leaves out what does not go with the rest: few rules made at random would be valid as they are. */
function fitting(rule: Rule): Rule {
  const parts = new Map<string, unknown>(Object.entries(rule));
  if (rule.action !== 'measure') {
    parts.delete('template');
  }
  if (rule.digest_type && rule.appraise_type !== 'sigv3') {
    parts.delete('appraise_type');
  }
  for (;;) {
    const left = Object.fromEntries(parts) as unknown as Rule;
    const misfit = validateRule(left);
    if (misfit === undefined) {
      return left;
    }
    parts.delete(misfit.about === 'action' ? 'func' : misfit.about);
  }
}

/** Rules of two conditions at most, so that they often have to do with one another. */
export function arbitraryShortRule(id: fc.Arbitrary<number>): fc.Arbitrary<Rule> {
  return fc
    .tuple(arbitraryRule(id), fc.array(fc.nat(8), { maxLength: 2 }), fc.constantFrom(...actions))
    .map(([rule, kept, action]): Rule => {
      const { source, line } = rule;
      const conditions = Object.entries(rule).filter(
        ([name]) => !['action', 'source', 'line'].includes(name),
      );
      const left = kept.flatMap((at) => conditions.slice(at, at + 1));
      return fitting({ ...(Object.fromEntries(left) as Partial<Rule>), action, source, line });
    });
}
