import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changeIma } from '../../../src/ima/ima.js';
import type { ObjectFacts } from '../../../src/ima/ports.js';
import type { Namespace } from '../../../src/namespaces/namespace.js';
import { Sharing } from '../../../src/namespaces/sharing.js';
import { NamespaceFixture } from './fixture.js';

const FILE: ObjectFacts = { uid: 1000, gid: 0, fsMagic: 0xef53, fsName: 'ext4', fsUuid: undefined };

const NOBODY: ReadonlySet<Namespace> = new Set();

/** An access that only the system was asked about, besides whose policy wants the label. */
const asked = (passed: ReadonlySet<Namespace>) => ({ judges: [], passed });

test('stack: beside a policy that could appraise the file, only if that one passed it', async () => {
  const fixture = new NamespaceFixture('stack', 'appraise func=BPRM_CHECK');
  const { registry } = fixture;
  const container = await fixture.activated(2n, ['appraise fowner=1000']);
  const sharing = new Sharing(registry, 'stack');
  assert.equal(sharing.mayWrite(container, FILE, asked(NOBODY)), false);
  assert.equal(sharing.mayWrite(container, FILE, asked(new Set([container]))), false);
  assert.equal(sharing.mayWrite(container, FILE, asked(new Set([registry.system]))), true);
  assert.equal(sharing.mayWrite(registry.system, FILE, asked(NOBODY)), true);
});

test('a namespace in fix mode writes only if the system is in fix mode', async () => {
  const fixture = new NamespaceFixture('stack');
  const container = await fixture.activated(2n, ['appraise fowner=1000']);
  const sharing = new Sharing(fixture.registry, 'stack');
  changeIma(container.ima, { mode: 'fix' });
  assert.equal(sharing.mayWrite(container, FILE, asked(NOBODY)), false);
  changeIma(fixture.registry.system.ima, { mode: 'fix' });
  assert.equal(sharing.mayWrite(container, FILE, asked(NOBODY)), true);
});

const others: [string, boolean][] = [
  ['appraise fowner=1000', false],
  ['appraise fowner=1001', true],
  ['appraise func=BPRM_CHECK uid=5', false],
  ['appraise fgroup=7', false],
  ['dont_appraise fgroup=0\nappraise', false],
  ['dont_appraise fowner=1000\nappraise fowner<2000', true],
  ['dont_appraise fowner=1000 uid=0\nappraise fowner<2000', false],
  ['measure fowner=1000', true],
];

for (const [rules, expected] of others) {
  const verb = expected ? 'may' : 'may not';
  test(`replace: beside a policy with "${rules}" a namespace ${verb} write`, async () => {
    const fixture = new NamespaceFixture('replace');
    const container = await fixture.activated(2n, ['appraise fowner=1000']);
    await fixture.activated(3n, rules.split('\n'));
    const sharing = new Sharing(fixture.registry, 'replace');
    assert.equal(sharing.mayWrite(container, FILE, asked(NOBODY)), expected);
    assert.equal(sharing.mayWrite(fixture.registry.system, FILE, asked(NOBODY)), true);
  });
}
