import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Caller } from '../../../src/binding/addon-types.js';
import { LabelRule } from '../../../src/control/label-rule.js';
import { changeIma } from '../../../src/ima/ima.js';
import { parsePolicy } from '../../../src/ima/policy/parse-policy.js';
import { Policy } from '../../../src/ima/policy/policy.js';
import type { Namespace } from '../../../src/namespaces/namespace.js';
import { Sharing } from '../../../src/namespaces/sharing.js';
import { policyMachine } from '../../helpers/policy-machine.js';
import { Fixture } from './fixture.js';

const DIGEST = Buffer.alloc(32, 7);
const RIGHT = Buffer.concat([Buffer.from('0404', 'hex'), DIGEST]);
const SIGNATURE = Buffer.from('030204', 'hex');

const IDENTITY = '         0          0 4294967295\n';
const REMAPPED = '         0     100000      65536\n';

interface Case {
  readonly caller?: (fixture: Fixture) => Caller;
  readonly namespace?: (fixture: Fixture) => Namespace;
  readonly systemPolicy?: string;
  readonly idMap?: string;
  readonly uid?: number;
  readonly xattr?: Buffer;
}

const refusal = (given: Case): Promise<string | undefined> => {
  const fixture = new Fixture();
  const rules = parsePolicy(given.systemPolicy ?? '', 'test', policyMachine);
  assert.ok(rules.ok);
  changeIma(fixture.system.ima, { policy: new Policy(rules.value) });
  const caller = given.caller?.(fixture) ?? fixture.caller(fixture.container);
  const { uid, gid, euid, suid, egid, sgid, capSetuid, capSetgid } = caller.credentials;
  const subject = { uid, gid, euid, suid, egid, sgid, capSetuid, capSetgid };
  const { system, container } = fixture;
  const judge = { namespace: system, scope: container, ima: system.ima, subjects: [subject] };
  const rule = new LabelRule({
    registry: { system, judges: () => Promise.resolve([judge]) },
    sharing: new Sharing({ system, known: () => [system, container] }, 'stack'),
    hashPool: { digest: () => Promise.resolve(DIGEST) },
    fileSystem: { fsMagic: 0xef53, fsName: 'ext4', fsUuid: undefined },
    readIdMap: () => Promise.resolve(given.idMap ?? IDENTITY),
    readXattr: () => undefined,
  });
  const owner = given.uid ?? 0;
  const file = { ino: 1n, device: '8:1', mode: 0o100644, uid: owner, gid: owner, size: 1 };
  const opened = { fd: 3, node: undefined, file, xattrs: [given.xattr] };
  const namespace = given.namespace?.(fixture) ?? container;
  return rule.refusal({ caller, namespace, change: { action: 'hash' }, path: '/f', opened });
};

test("the system's root labels what it likes", async () => {
  const caller = (fixture: Fixture): Caller => fixture.caller(fixture.system);
  assert.equal(await refusal({ caller, systemPolicy: 'appraise', xattr: SIGNATURE }), undefined);
});

test('a container labels what no policy appraises', async () => {
  assert.equal(await refusal({ systemPolicy: 'appraise fowner=1000' }), undefined);
});

test('a container cannot label for another hook of the system', async () => {
  for (const systemPolicy of ['appraise func=BPRM_CHECK', 'appraise mask=MAY_EXEC uid=5']) {
    assert.equal(await refusal({ systemPolicy }), 'EPERM');
    assert.equal(await refusal({ systemPolicy, xattr: RIGHT }), 'EPERM');
  }
});

test('a container cannot bless what the system refuses it', async () => {
  assert.equal(await refusal({ systemPolicy: 'appraise' }), 'EACCES');
  const xattr = Buffer.concat([Buffer.from('0404', 'hex'), Buffer.alloc(32)]);
  assert.equal(await refusal({ systemPolicy: 'appraise', xattr }), 'EACCES');
});

test('what passes may be labelled again', async () => {
  assert.equal(await refusal({ systemPolicy: 'appraise', xattr: RIGHT }), undefined);
});

test('a container never writes over a signature', async () => {
  assert.equal(await refusal({ xattr: SIGNATURE }), 'EPERM');
});

test('root of a user namespace labels files of its own ids only', async () => {
  assert.equal(await refusal({ idMap: REMAPPED, uid: 0 }), 'EPERM');
  assert.equal(await refusal({ idMap: REMAPPED, uid: 99_999 }), 'EPERM');
  assert.equal(await refusal({ idMap: REMAPPED, uid: 100_033 }), undefined);
  assert.equal(await refusal({ idMap: REMAPPED, uid: 165_536 }), 'EPERM');
  assert.equal(await refusal({ idMap: '', uid: 0 }), 'EPERM');
});
