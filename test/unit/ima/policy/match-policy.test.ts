import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  matchPolicy,
  matchRule,
  type PolicyQuery,
} from '../../../../src/ima/policy/match-policy.js';
import { Policy } from '../../../../src/ima/policy/policy.js';
import { type Hook, MAY_EXEC, MAY_READ, MAY_WRITE } from '../../../../src/ima/ports.js';
import { onExt4, policyOf, user } from '../fakes.js';
import { arbitraryRule, hooks, uuids } from './arbitrary-rule.js';
import { asNaive, naiveDecision } from './naive-matcher.js';

const reading: PolicyQuery = {
  hook: 'FILE_CHECK',
  mask: MAY_READ,
  subject: user(0),
  object: onExt4(1000),
};

const decide = (query: Partial<PolicyQuery>, ...lines: string[]) => {
  const policy = policyOf(...lines);
  return matchPolicy(policy, { ...reading, ...query }, policy.families);
};

const matches = (query: Partial<PolicyQuery>, line: string): boolean => {
  const [rule] = policyOf(line).rules;
  assert.ok(rule);
  return matchRule(rule, { ...reading, ...query });
};

test('the first match decides its family, be it the action or its twin', () => {
  const decision = decide({}, 'dont_measure uid=0', 'measure', 'appraise', 'audit uid=7');
  assert.equal(decision.measure, false);
  assert.equal(decision.rules.measure?.line, 1);
  assert.equal(decision.appraise, 'FILE');
  assert.equal(decision.rules.appraise?.line, 3);
  assert.equal(decision.audit, false);
  assert.equal(decision.rules.audit, undefined);
});

test('an appraise rule switches off the hash rule before it, not the one after it', () => {
  assert.equal(decide({}, 'hash', 'appraise').hash, false);
  assert.equal(decide({}, 'appraise', 'hash').hash, true);
  assert.equal(decide({}, 'hash', 'appraise fowner=7').hash, true);
  assert.equal(decide({}, 'dont_hash', 'hash').hash, false);
});

test('an appraisal is filed by its hook, without func= under FILE', () => {
  const slots = (
    ['FILE_CHECK', 'MMAP_CHECK', 'BPRM_CHECK', 'CREDS_CHECK', 'MODULE_CHECK'] as const
  ).map((hook) => [
    decide({ hook }, `appraise func=${hook}`).appraise,
    decide({ hook }, 'appraise').appraise,
  ]);
  assert.deepEqual(slots, [
    ['FILE', 'FILE'],
    ['MMAP', 'FILE'],
    ['BPRM', 'FILE'],
    ['CREDS', 'FILE'],
    ['READ', 'FILE'],
  ]);
});

test('a family nobody demands is not matched', () => {
  assert.deepEqual(decide({}, 'dont_appraise', 'audit').rules, {
    audit: policyOf('', 'audit').rules[0],
  });
});

test('mask= is equality, mask=^ a common bit', () => {
  assert.equal(matches({ mask: MAY_READ | MAY_WRITE }, 'measure mask=MAY_READ'), false);
  assert.equal(matches({ mask: MAY_READ | MAY_WRITE }, 'measure mask=^MAY_READ'), true);
  assert.equal(matches({ mask: MAY_EXEC }, 'measure mask=^MAY_READ'), false);
});

test('euid= also sees saved and real uid where the caller has CAP_SETUID', () => {
  const subject = user(5, { suid: 0 });
  assert.equal(matches({ subject }, 'measure euid=0'), false);
  assert.equal(matches({ subject: { ...subject, capSetuid: true } }, 'measure euid=0'), true);
  assert.equal(matches({ subject: { ...subject, capSetgid: true } }, 'measure euid=0'), false);
  const group = user(5, { sgid: 0, capSetgid: true });
  assert.equal(matches({ subject: group }, 'measure egid=0'), true);
  assert.equal(matches({ subject: group }, 'measure gid=0'), false);
});

test('a rule without func matches every hook but the two that carry no file', () => {
  const matching = [...hooks, 'POST_SETATTR' as const].filter((hook) =>
    matches({ hook }, 'measure'),
  );
  assert.deepEqual(
    new Set(['KEY_CHECK', 'CRITICAL_DATA', ...matching]),
    new Set([...hooks, 'POST_SETATTR']),
  );
  assert.equal(matching.includes('KEY_CHECK'), false);
});

test('POST_SETATTR ignores func and mask', () => {
  const query = { hook: 'POST_SETATTR', mask: 0 } as const;
  assert.equal(matches(query, 'appraise func=BPRM_CHECK mask=MAY_EXEC fowner=1000'), true);
  assert.equal(matches(query, 'appraise func=BPRM_CHECK mask=MAY_EXEC fowner=1'), false);
});

test('conditions look at the backing file system', () => {
  const object = onExt4(7, { fsUuid: '6f6679a0-0000-0000-0000-00000000abcd' });
  assert.equal(matches({ object }, 'measure fsmagic=0xEF53 fsname=ext4 fowner=7 fgroup<8'), true);
  assert.equal(matches({ object }, 'measure fsuuid=6F6679A0-0000-0000-0000-00000000ABCD'), true);
  assert.equal(matches({}, 'measure fsuuid=6f6679a0-0000-0000-0000-00000000abcd'), false);
});

test('of two accesses that differ in one thing a rule looks at, each is decided for itself', () => {
  const subject = user(1, { label: 'u:r:t' });
  const object = onExt4(1000, { label: 'u:r:t', fsSubtype: 'x' });
  const base: PolicyQuery = { ...reading, subject, object };
  const others: readonly (readonly [rule: string, query: Partial<PolicyQuery>])[] = [
    ...(['uid', 'euid', 'gid', 'egid'] as const).map(
      (name) => [`audit ${name}=7`, { subject: { ...subject, [name]: 7 } }] as const,
    ),
    ['audit euid=1', { subject: { ...subject, euid: 7, suid: 7, uid: 7 } }],
    ['audit fowner=7', { object: { ...object, uid: 7 } }],
    ['audit fgroup=7', { object: { ...object, gid: 7 } }],
    ['audit fsmagic=7', { object: { ...object, fsMagic: 7 } }],
    ['audit fsname=xfs', { object: { ...object, fsName: 'xfs' } }],
    ['audit fs_subtype=y', { object: { ...object, fsSubtype: 'y' } }],
    [`audit fsuuid=${uuids[0]}`, { object: { ...object, fsUuid: uuids[0] } }],
    ['audit mask=MAY_EXEC', { mask: MAY_EXEC }],
    ['audit func=BPRM_CHECK', { hook: 'BPRM_CHECK' }],
  ];
  for (const [line, change] of others) {
    const policy = policyOf(line);
    const audits = [base, { ...base, ...change }].map(
      (query) => matchPolicy(policy, query, policy.families).audit,
    );
    assert.notEqual(audits[0], audits[1], line);
  }
  const policy = policyOf('audit', 'appraise');
  assert.equal(matchPolicy(policy, base, new Set(['audit'])).appraise, undefined);
  assert.equal(matchPolicy(policy, base, policy.families).appraise, 'FILE');
});

test('the matcher agrees with a naive one', () => {
  const id = fc.integer({ min: 0, max: 2 });
  const label = fc.constantFrom(undefined, 'u:r:t:s0', 'v:r:t', 'u:t:v:s0:c1,c2', 'v');
  const query = fc.record({
    hook: fc.constantFrom<Hook>(...hooks, 'POST_SETATTR'),
    mask: fc.integer({ min: 0, max: 15 }),
    subject: fc.record({
      uid: id,
      euid: id,
      suid: id,
      gid: id,
      egid: id,
      sgid: id,
      capSetuid: fc.boolean(),
      capSetgid: fc.boolean(),
      label,
    }),
    object: fc
      .record({
        uid: id,
        gid: id,
        fsMagic: fc.constantFrom(0, 0xef53, 0x01021994),
        fsName: fc.constantFrom('ext4', 'tmpfs'),
        fsUuid: fc.constantFrom(undefined, ...uuids),
        fsSubtype: fc.constantFrom(undefined, 'sshfs'),
        label,
      })
      .map(({ uid, ...facts }) => onExt4(uid, facts)),
    data: fc.constantFrom('.ima', '.evm', 'selinux', 'a', 'z'),
  });
  fc.assert(
    // Several of one policy, which remembers what it decided.
    fc.property(
      fc.array(arbitraryRule(id), { maxLength: 12 }),
      fc.array(query, { minLength: 1, maxLength: 4 }),
      (rules, asked) => {
        const policy = new Policy(rules);
        for (const one of [...asked, ...asked]) {
          const decision = matchPolicy(policy, one, policy.families);
          assert.deepEqual(asNaive(decision), naiveDecision(rules, one));
        }
      },
    ),
    { numRuns: 3000 },
  );
});
