import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type EntryFacts, matchEntry } from '../../../../src/ima/policy/match-entry.js';
import { matchPolicy, type PolicyQuery } from '../../../../src/ima/policy/match-policy.js';
import { Policy } from '../../../../src/ima/policy/policy.js';
import type { Hook } from '../../../../src/ima/ports.js';
import { onExt4, policyOf, user } from '../fakes.js';
import { arbitraryShortRule } from './arbitrary-rule.js';

const FILE: readonly Hook[] = ['FILE_CHECK', 'BPRM_CHECK', 'MMAP_CHECK'];
const ofFile: EntryFacts = { hooks: new Set(FILE) };

/** What a list can tell of an entry of a file, or of what else is known. */
const cases: readonly (readonly [lines: string[], facts: EntryFacts, answer: string])[] = [
  [['measure'], ofFile, 'yes 1'],
  [['audit', 'appraise'], ofFile, 'no'],
  [['measure func=BPRM_CHECK mask=MAY_EXEC'], ofFile, 'maybe 1 func,mask'],
  [['measure func=KEY_CHECK'], ofFile, 'no'],
  [['measure func=MODULE_CHECK'], ofFile, 'no'],
  [['dont_measure fsmagic=0x9fa0', 'measure'], ofFile, 'maybe 1 fsmagic'],
  [['measure uid=0', 'measure'], ofFile, 'yes 2'],
  [['measure uid=0', 'dont_measure', 'measure'], ofFile, 'maybe 1 uid'],
  [['dont_measure', 'measure'], ofFile, 'no 1'],
  [['measure uid=0'], { ...ofFile, uid: 0 }, 'yes 1'],
  [['measure uid=0'], { ...ofFile, uid: 5 }, 'no'],
  [['measure fowner<5'], { ...ofFile, fowner: 4 }, 'yes 1'],
  [['measure fgroup>5'], { ...ofFile, fgroup: 4 }, 'no'],
  [
    ['measure func=KEY_CHECK keyrings=.ima'],
    { hooks: new Set(['KEY_CHECK']), keyring: '.ima' },
    'yes 1',
  ],
  [
    ['measure func=KEY_CHECK keyrings=.evm'],
    { hooks: new Set(['KEY_CHECK']), keyring: '.ima' },
    'no',
  ],
  [['measure func=CRITICAL_DATA label=a'], { hooks: new Set(['CRITICAL_DATA']) }, 'maybe 1 label'],
];

for (const [lines, facts, answer] of cases) {
  test(`${lines.join('; ')}: ${answer}`, () => {
    const { measured, rule, depends } = matchEntry(policyOf(...lines), facts);
    assert.equal([measured, rule?.line, depends.join(',')].filter(Boolean).join(' '), answer);
  });
}

test('what is certain is so, whoever opened the file and how', () => {
  const id = fc.integer({ min: 0, max: 2 });
  const query: fc.Arbitrary<PolicyQuery> = fc
    .record({
      hook: fc.constantFrom<Hook>(...FILE),
      mask: fc.constantFrom(1, 2, 4, 6),
      uid: id,
      owner: id,
      group: id,
      fsName: fc.constantFrom('ext4', 'a=b'),
    })
    .map(({ hook, mask, uid, owner, group, fsName }) => {
      return { hook, mask, subject: user(uid), object: onExt4(owner, { gid: group, fsName }) };
    });
  const policies = fc
    .array(arbitraryShortRule(id), { maxLength: 8 })
    .map((rules) => new Policy(rules));
  const counts = { yes: 0, no: 0, maybe: 0 };
  fc.assert(
    fc.property(policies, fc.array(query, { minLength: 3, maxLength: 8 }), (policy, queries) => {
      for (const asked of queries) {
        const { object, subject } = asked;
        const { measured } = matchEntry(policy, {
          ...ofFile,
          ...{ fowner: object.uid, fgroup: object.gid, uid: subject.uid, gid: subject.gid },
        });
        counts[measured] += 1;
        const { measure } = matchPolicy(policy, asked, new Set(['measure']));
        if (measured !== 'maybe') assert.equal(measured, measure ? 'yes' : 'no');
      }
    }),
    { numRuns: 1000 },
  );
  for (const count of Object.values(counts)) assert.ok(count > 50, JSON.stringify(counts));
});
