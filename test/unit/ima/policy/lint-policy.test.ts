import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hooksOfOpen } from '../../../../src/ima/hooks-of-open.js';
import { builtinPolicy } from '../../../../src/ima/policy/builtin.js';
import {
  type BackingFacts,
  type Finding,
  type FindingCode,
  lintPolicy,
} from '../../../../src/ima/policy/lint/lint-policy.js';
import {
  matchPolicy,
  matchRule,
  type PolicyQuery,
} from '../../../../src/ima/policy/match-policy.js';
import { Policy } from '../../../../src/ima/policy/policy.js';
import type { Rule } from '../../../../src/ima/policy/rule.js';
import type { Hook } from '../../../../src/ima/ports.js';
import { SLOWNESS } from '../../../helpers/slowness.js';
import { onExt4, policyOf } from '../fakes.js';
import { arbitraryShortRule, hooks } from './arbitrary-rule.js';

const lint = (lines: readonly string[], backing?: BackingFacts): Finding[] =>
  lintPolicy({ policy: policyOf(...lines), backing });

const told = (lines: readonly string[], backing?: BackingFacts): string[] =>
  lint(lines, backing).map(({ rule, code }) => `${rule?.line ?? '-'} ${code}`);

/** Policies, and what is told of them: line and code. */
const cases: readonly (readonly [lines: readonly string[], findings: readonly string[]])[] = [
  [['appraise fowner=0', 'appraise fowner=0'], ['2 duplicate']],
  [
    [
      'appraise fowner=0',
      'dont_appraise fowner=0 mask=MAY_EXEC',
      'appraise fowner=5 appraise_type=imasig',
    ],
    ['2 shadowed'],
  ],
  [['measure mask=MAY_READ uid>50', 'measure mask=MAY_READ uid>100'], ['2 shadowed']],
  [['measure mask=MAY_READ uid>100', 'measure mask=MAY_READ uid>50'], []],
  [['measure mask=^MAY_READ', 'measure mask=MAY_READ fowner<5'], ['2 shadowed']],
  [['measure mask=MAY_READ', 'measure mask=^MAY_READ'], []],
  [['measure mask=MAY_EXEC', 'measure func=KEY_CHECK', 'measure func=CRITICAL_DATA'], []],
  [
    ['measure func=KEY_CHECK keyrings=.ima|.evm', 'measure func=KEY_CHECK keyrings=.evm'],
    ['2 shadowed'],
  ],
  [['measure func=KEY_CHECK keyrings=.imma'], ['1 unknown-keyring']],
  [['measure mask=MAY_READ', 'audit mask=MAY_READ', 'hash'], []],
  [['measure func=BPRM_CHECK mask=MAY_READ'], ['1 unreachable']],
  [['measure func=MODULE_CHECK mask=^MAY_WRITE'], ['1 unreachable']],
  [['measure mask=MAY_APPEND'], ['1 unreachable']],
  [['audit mask=^MAY_APPEND'], []],
  [['audit fowner<0'], ['1 unreachable']],
  [['audit fsname=ext4 fsmagic=0x01021994'], ['1 unreachable']],
  [['audit fsname=ext4 fsmagic=0xef53'], []],
  [['audit fsname=xfs fs_subtype=sshfs'], ['1 unreachable']],
  [['audit func=KEXEC_KERNEL_CHECK mask=MAY_READ'], ['1 hook-never-run']],
  [['audit func=KEXEC_INITRAMFS_CHECK'], ['1 hook-never-run']],
  [['audit func=FIRMWARE_CHECK'], []],
  [['audit func=MMAP_CHECK_REQPROT'], []],
  [['dont_audit fowner=0'], ['1 nothing-to-except', '- no-action']],
  [[], ['- no-action']],
  [['audit', 'dont_audit fowner=0'], ['2 shadowed']],
  [['audit fowner=5', 'dont_audit fowner=0'], ['2 except-at-end']],
  [['audit fowner=5', 'dont_audit permit_directio'], []],
  [['audit fowner=5', 'dont_audit fowner=6', 'dont_audit permit_directio'], []],
  [
    ['dont_appraise', 'appraise fowner=0'],
    ['1 excepts-everything', '2 shadowed'],
  ],
  [['dont_audit fowner=0', 'audit'], []],
  [
    ['appraise func=SETXATTR_CHECK appraise_algos=sha256', 'dont_appraise'],
    ['2 nothing-to-except'],
  ],
  [['appraise'], ['1 appraises-everything', '1 digest-of-writer']],
  [['appraise fowner=0', 'appraise func=SETXATTR_CHECK appraise_algos=sha256'], []],
  [
    [
      'appraise func=SETXATTR_CHECK appraise_algos=sha256',
      'appraise func=SETXATTR_CHECK appraise_algos=sha512',
    ],
    ['2 setxattr-ignored'],
  ],
  [['appraise func=SETXATTR_CHECK appraise_algos=sha1,sha256'], ['1 weak-algorithm']],
  [['appraise fowner=0 appraise_algos=md5'], ['1 weak-algorithm']],
  [['appraise func=FILE_CHECK mask=MAY_READ fowner=1000'], ['1 stale-hash']],
  [['appraise func=FILE_CHECK mask=MAY_READ fowner=1000', 'hash fowner=1000'], []],
  [
    ['appraise func=FILE_CHECK mask=MAY_READ fowner=1000', 'hash func=BPRM_CHECK fowner=1000'],
    ['1 stale-hash'],
  ],
  [['appraise func=BPRM_CHECK fowner=0', 'appraise fowner=0'], []],
  [['appraise func=BPRM_CHECK appraise_type=imasig'], []],
  [['appraise fowner=1000'], ['1 digest-of-writer']],
  [['appraise fowner=1000 appraise_type=imasig'], []],
  [['appraise func=POLICY_CHECK'], ['1 unsigned-policy']],
  [['appraise func=MODULE_CHECK', 'hash'], ['1 unsigned-code']],
  [['appraise uid=1000 fowner=0'], ['1 root-escapes']],
  [['appraise euid>0 fowner=0', 'appraise fowner=0'], []],
  [['appraise uid<1000 fowner=0'], []],
  [['measure'], ['1 measures-writes']],
  [['measure func=FILE_CHECK mask=MAY_WRITE'], ['1 measures-writes']],
  [['measure func=FILE_CHECK mask=^MAY_READ'], []],
  [['dont_measure fsmagic=0x01021994', 'measure func=BPRM_CHECK'], ['1 unmeasured-programs']],
];

for (const [lines, findings] of cases) {
  test(`${lines.join('; ')}: ${findings.join(', ') || 'nothing'}`, () => {
    assert.deepEqual(told(lines), findings);
  });
}

test('a finding says why in words, and what to do', () => {
  const [stale] = lint([
    'appraise func=FILE_CHECK mask=MAY_READ fowner=1000 appraise_algos=sha256',
  ]);
  assert.match(stale?.message ?? '', /writing is not matched/);
  assert.match(stale?.remedy ?? '', /^add 'hash fowner=1000', or demand signatures/);
  const [twin] = lint([
    'dont_appraise fowner<9',
    'appraise mask=MAY_EXEC fowner=5 appraise_type=imasig',
  ]);
  assert.match(twin?.message ?? '', /decided by line 1: dont_appraise fowner<9$/);
  assert.equal(twin?.remedy, 'move it before line 1');
  const [mask] = lint(['audit func=BPRM_CHECK mask=MAY_READ']);
  assert.equal(mask?.message, 'BPRM_CHECK never has mask=MAY_READ: it runs with MAY_EXEC');
});

test('what the remedy of a stale hash says is right', () => {
  for (const line of [
    'appraise mask=MAY_READ fowner=7',
    'appraise func=BPRM_CHECK fowner=7 fsname=ext4',
  ]) {
    const [stale] = lint([line]);
    const [, rule = ''] = /^add '(.*?)'/.exec(stale?.remedy ?? '') ?? [];
    assert.deepEqual(told([line, rule]), []);
  }
});

test('rules are compared with the file system that is to be protected', () => {
  const ext4: BackingFacts = { fsMagic: 0xef53, fsName: 'ext4', fsUuid: undefined };
  const lines = ['dont_audit fsmagic=0x9fa0', 'audit fsmagic=0x01021994', 'audit fsname=ext4'];
  assert.deepEqual(told(lines, ext4), ['2 other-file-system']);
  assert.match(lint(lines, ext4)[0]?.remedy ?? '', /fsmagic=0xef53/);
  assert.deepEqual(told(lines), []);
});

test('the kernel’s own policies have nothing wrong with them', () => {
  for (const name of ['tcb', 'appraise_tcb', 'secure_boot', 'critical_data']) {
    const policy = builtinPolicy(name);
    assert.ok(policy.ok);
    const findings = lintPolicy({ policy: policy.value, backing: undefined });
    const serious = findings.filter(({ severity }) => severity !== 'note');
    assert.deepEqual(serious, [], name);
  }
});

test('a policy that is too long is not compared to its end', () => {
  const { rules } = policyOf(...Array.from({ length: 5001 }, (_, id) => `audit fowner=${id}`));
  const began = performance.now();
  const codes = lintPolicy({ policy: new Policy(rules), backing: undefined });
  assert.deepEqual(
    codes.map(({ code }) => code),
    ['too-long'],
  );
  assert.ok(performance.now() - began < 20_000 * SLOWNESS);
});

const id = fc.integer({ min: 0, max: 3 });
const shortRule = arbitraryShortRule(id);
const policies = fc
  .array(shortRule, { maxLength: 12 })
  .map((rules) => rules.map((rule, index) => ({ ...rule, line: index + 1 })));
const subjects = fc.record({
  uid: id,
  euid: id,
  suid: id,
  gid: id,
  egid: id,
  sgid: id,
  capSetuid: fc.boolean(),
  capSetgid: fc.boolean(),
  label: fc.constantFrom(undefined, 'u:r:t:s0', 'v:r:t'),
});
const objects = fc
  .record({
    uid: id,
    gid: id,
    fsName: fc.constantFrom('ext4', 'fuse'),
    fsSubtype: fc.constantFrom(undefined, 'sshfs'),
    label: fc.constantFrom(undefined, 'u:r:t:s0', 'u:r:v:s0:c1'),
  })
  .filter(({ fsName, fsSubtype }) => fsName === 'fuse' || fsSubtype === undefined)
  .map(({ uid, ...facts }) => onExt4(uid, facts));
const queries: fc.Arbitrary<PolicyQuery> = fc.record({
  hook: fc.constantFrom<Hook>(...hooks, 'POST_SETATTR'),
  mask: fc.integer({ min: 0, max: 15 }),
  subject: subjects,
  object: objects,
  data: fc.constantFrom('.ima', '.evm', 'selinux', 'a', 'z'),
});

/** Policies are not asked about attributes: they have their algorithms ready. */
const accesses = queries.filter(({ hook }) => hook !== 'SETXATTR_CHECK');

/** Codes of rules that are said to change nothing. */
const NEVER_DECIDES: readonly FindingCode[] = ['shadowed', 'duplicate'];
const CHANGES_NOTHING: readonly FindingCode[] = ['nothing-to-except', 'except-at-end'];

function without(rules: readonly Rule[], codes: readonly FindingCode[]): Rule[] {
  const findings = lintPolicy({ policy: new Policy(rules), backing: undefined });
  const useless = new Set(
    findings.filter(({ code }) => codes.includes(code)).map(({ rule }) => rule),
  );
  return rules.filter((rule) => !useless.has(rule));
}

test('what is called shadowed never decides anything', () => {
  let removed = 0;
  fc.assert(
    fc.property(policies, fc.array(queries, { minLength: 5, maxLength: 20 }), (rules, asked) => {
      const [all, left] = [new Policy(rules), new Policy(without(rules, NEVER_DECIDES))];
      removed += rules.length - left.rules.length;
      for (const query of asked) {
        assert.deepEqual(
          matchPolicy(left, query, all.families),
          matchPolicy(all, query, all.families),
        );
      }
      assert.deepEqual(left.setxattrAlgorithms, all.setxattrAlgorithms);
    }),
    { numRuns: 1500 },
  );
  assert.ok(removed > 500, `${removed} rules were shadowed`);
});

test('what is called useless changes nothing that is done', () => {
  fc.assert(
    fc.property(policies, fc.array(accesses, { minLength: 5, maxLength: 20 }), (rules, asked) => {
      const [all, left] = [new Policy(rules), new Policy(without(rules, CHANGES_NOTHING))];
      // POST_SETATTR, to which any rule's hook is right, asks of files that another hook found appraised.
      for (const query of asked.filter(({ hook }) => hook !== 'POST_SETATTR')) {
        const decision = { ...matchPolicy(left, query, left.families), rules: undefined };
        const expected = { ...matchPolicy(all, query, all.families), rules: undefined };
        assert.deepEqual(decision, expected);
      }
    }),
    { numRuns: 1500 },
  );
});

test('what is called unreachable is matched by no open', () => {
  const opens = fc.record({
    flags: fc.constantFrom(0, 1, 2, 3, 0o1000, 0o1001, 0o2001, 0o2002, 0o3000),
    exec: fc.boolean(),
    succeeding: fc.boolean(),
    head: fc.constantFrom(Buffer.alloc(0), Buffer.from('\x7fELF')),
    name: fc.constantFrom('a', 'a.ko.xz'),
    isFirmware: fc.boolean(),
    mmapCheck: fc.constantFrom('elf' as const, 'all' as const, 'off' as const),
  });
  fc.assert(
    fc.property(shortRule, opens, subjects, objects, (rule, open, subject, object) => {
      const findings = lintPolicy({ policy: new Policy([rule]), backing: undefined });
      if (!findings.some(({ code }) => code === 'unreachable')) return;
      for (const call of hooksOfOpen(open)) {
        assert.equal(matchRule(rule, { ...call, subject, object }), false);
      }
    }),
    { numRuns: 3000 },
  );
});
