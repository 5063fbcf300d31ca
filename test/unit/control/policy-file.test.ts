import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StatusEvent } from '../../../src/audit/audit-log.js';
import { PolicyLoader } from '../../../src/namespaces/policy-loader.js';
import { fileOfCaller } from '../../helpers/file-of-caller.js';
import { policyMachine } from '../../helpers/policy-machine.js';
import { Fixture, O_WRONLY } from './fixture.js';

const GOOD = 'appraise fowner=1000';
const OTHER = 'appraise func=MODULE_CHECK';

const policyFixture = (): Fixture & {
  readonly loader: PolicyLoader;
  readonly audited: string[];
  readonly files: Map<string, string>;
} => {
  const audited: string[] = [];
  const files = new Map<string, string>();
  const policyLoader = new PolicyLoader({
    machine: policyMachine,
    checkFile: () => Promise.resolve(undefined),
    readAsCaller: (_caller, path) => {
      const text = files.get(path);
      return text === undefined
        ? Promise.reject(Object.assign(new Error(path), { code: 'ENOENT' }))
        : Promise.resolve(fileOfCaller(text));
    },
    changed: () => undefined,
    firstLoaded: () => Promise.resolve(),
    auditStatus: ({ op, cause }: StatusEvent) => {
      audited.push(`${op} ${cause}`);
      return Promise.resolve();
    },
    auditRule: ({ words, result }) => {
      const text = words.map(({ key, operator, value }) => `${key}${operator}${value}`).join(' ');
      audited.push(`${text} res=${result}`);
      return Promise.resolve();
    },
  });
  return Object.assign(new Fixture({ policyLoader }), { loader: policyLoader, audited, files });
};

test('a shell: dup and close come before the write', async () => {
  const fixture = policyFixture();
  const root = fixture.caller(fixture.container);
  const file = await fixture.open(root, 'policy', O_WRONLY);
  assert.equal(await file.flush(), undefined);
  assert.equal(await file.write(`${GOOD}\n`), GOOD.length + 1);
  assert.equal(await fixture.read(root, 'policy'), '', 'nothing is in force before close');
  assert.equal(await file.flush(), undefined);
  assert.equal(await fixture.read(root, 'policy'), `${GOOD} \n`);
  await file.release();
  assert.equal(await fixture.read(root, '4026532001/policy'), `${GOOD} \n`);
});

test('two children share a descriptor: each close commits what was written until then', async () => {
  const fixture = policyFixture();
  const root = fixture.caller(fixture.container);
  const file = await fixture.open(root, 'policy', O_WRONLY);
  await file.write(`${GOOD}\n`);
  await file.flush();
  await file.write(`${OTHER}\n`);
  await file.flush();
  await file.flush();
  await file.release();
  assert.equal(await fixture.read(root, 'policy'), `${GOOD} \n${OTHER} \n`);
});

test('one write takes its first line, whatever comes after it', async () => {
  const fixture = policyFixture();
  const file = await fixture.open(fixture.caller(fixture.container), 'policy', O_WRONLY);
  assert.equal(await file.write(`${GOOD}\n${OTHER}\n`), GOOD.length + 1);
  assert.equal(await file.write(OTHER), OTHER.length, 'the last line needs no newline');
});

test('a bad rule fails its write, and nothing of that open is loaded', async () => {
  const fixture = policyFixture();
  const root = fixture.caller(fixture.container);
  const file = await fixture.open(root, 'policy', O_WRONLY);
  await file.write(`${GOOD}\n`);
  assert.equal(await file.write('bogus\n'), 'EINVAL');
  assert.equal(await file.flush(), undefined, 'close has nothing to report that a write did not');
  await file.release();
  assert.equal(await fixture.read(root, 'policy'), '');
  assert.ok(fixture.audited.includes('UNKNOWN=bogus res=0'));
  assert.deepEqual(fixture.audited.slice(-2), [
    'update_policy invalid-policy',
    'policy_update failed',
  ]);
  assert.equal(await fixture.write(root, 'policy', `${GOOD}\n`), undefined, 'another try may work');
  assert.equal(await fixture.read(root, 'policy'), `${GOOD} \n`);
});

test('empty lines and comments succeed, and so does closing without a rule', async () => {
  const fixture = policyFixture();
  const root = fixture.caller(fixture.container);
  for (const text of ['\n', '', '   \n', '# a comment\n']) {
    assert.equal(await fixture.write(root, 'policy', text), undefined, JSON.stringify(text));
  }
  assert.equal(await fixture.read(root, 'policy'), '');
});

test('what was never flushed is dropped at release', async () => {
  const fixture = policyFixture();
  const root = fixture.caller(fixture.container);
  const file = await fixture.open(root, 'policy', O_WRONLY);
  await file.write(`${GOOD}\n`);
  await file.release();
  assert.equal(await fixture.read(root, 'policy'), '');
});

test('a second writer is EBUSY for that policy only, and readers are not', async () => {
  const fixture = policyFixture();
  const root = fixture.caller(fixture.container);
  const system = fixture.caller(fixture.system);
  const file = await fixture.open(root, 'policy', O_WRONLY);
  assert.equal(await fixture.openError(root, 'policy', O_WRONLY), 'EBUSY');
  assert.equal(await fixture.openError(system, '4026532001/policy', O_WRONLY), 'EBUSY');
  assert.equal(await fixture.openError(system, 'policy', O_WRONLY), undefined);
  assert.equal(await fixture.openError(root, 'policy'), undefined);
  await file.release();
  assert.equal(await fixture.openError(root, 'policy', O_WRONLY), undefined);
});

test('a policy file named by its path is read as the writer would', async () => {
  const fixture = policyFixture();
  fixture.files.set('/etc/ima/ima-policy', `# ours\n${GOOD}\n${OTHER}\n`);
  const root = fixture.caller(fixture.container);
  const own = '4026532001/policy';
  assert.equal(await fixture.write(root, own, '/etc/ima/nofile\n'), 'ENOENT');
  assert.equal(await fixture.write(root, own, '/etc/ima/ima-policy'), undefined);
  assert.equal(await fixture.read(root, 'policy'), `${GOOD} \n${OTHER} \n`);
});

test('at the top, where all write to one inode, only the system names a file', async () => {
  const fixture = policyFixture();
  fixture.files.set('/etc/ima/ima-policy', `${GOOD}\n`);
  const root = fixture.caller(fixture.container);
  const file = await fixture.open(root, 'policy', O_WRONLY);
  await file.write(`${OTHER}\n`);
  assert.equal(await file.write('/etc/ima/ima-policy\n'), 'EINVAL');
  await file.flush();
  await file.release();
  assert.equal(await fixture.read(root, 'policy'), '', 'nothing of that open is in force');
  const failure = fixture.loader.lastFailure(fixture.container);
  assert.match(failure?.message ?? '', /4026532001\/policy only/);
  const system = fixture.caller(fixture.system);
  assert.equal(await fixture.write(system, 'policy', '/etc/ima/ima-policy\n'), undefined);
  assert.equal(await fixture.read(system, 'policy'), `${GOOD} \n`);
});

test('reading is a snapshot taken at open', async () => {
  const fixture = policyFixture();
  const root = fixture.caller(fixture.container);
  const reader = await fixture.open(root, 'policy');
  await fixture.write(root, 'policy', `${GOOD}\n`);
  assert.equal(await reader.read(), '');
});

test('a namespace that is not active has an empty policy and takes none', async () => {
  const fixture = policyFixture();
  const root = fixture.caller(fixture.inactive);
  await fixture.write(fixture.caller(fixture.system), 'policy', `${GOOD}\n`);
  assert.equal(await fixture.read(root, 'policy'), '');
  assert.equal(await fixture.openError(root, 'policy', O_WRONLY), 'EINVAL');
});

for (const noticed of [true, false]) {
  test(`a write after the namespace ended, ${noticed ? '' : 'un'}noticed, is EINVAL, and its close loads nothing`, async () => {
    const fixture = policyFixture();
    const caller = fixture.caller(fixture.container);
    const file = await fixture.open(caller, 'policy', O_WRONLY);
    const reader = await fixture.open(caller, 'active');
    await file.write(`${GOOD}\n`);
    if (noticed) fixture.container.retire();
    else fixture.dead.add(fixture.container.id);
    assert.equal(await file.write(`${OTHER}\n`), 'EINVAL');
    await file.flush();
    assert.equal(fixture.container.ima.policy.rules.length, 0);
    assert.equal(await reader.read(), '');
  });
}
