import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Namespace } from '../../../src/namespaces/namespace.js';
import { LIMITS } from '../../../src/namespaces/namespace.js';
import { type PolicyLoad, PolicyLoader } from '../../../src/namespaces/policy-loader.js';
import { fileOfCaller } from '../../helpers/file-of-caller.js';
import { policyMachine } from '../../helpers/policy-machine.js';
import { NamespaceFixture } from './fixture.js';

const RULE = 'appraise fowner=1000';

class LoaderFixture {
  readonly namespaces = new NamespaceFixture('stack', 'measure');
  readonly files = new Map<string, string>();
  readonly audited: string[] = [];
  readonly errnos: number[] = [];
  changes = 0;
  readonly first: number[] = [];
  readonly loader = new PolicyLoader({
    machine: policyMachine,
    checkFile: () => Promise.resolve(undefined),
    readAsCaller: (_caller, path) => {
      const text = this.files.get(path);
      return text === undefined
        ? Promise.reject(Object.assign(new Error('none'), { code: 'ENOENT' }))
        : Promise.resolve(fileOfCaller(text));
    },
    changed: () => {
      this.changes += 1;
    },
    firstLoaded: ({ name }) => {
      this.first.push(name);
      return Promise.resolve();
    },
    auditStatus: ({ op, cause, result, errno }) => {
      this.errnos.push(errno);
      this.audited.push(`${op} ${cause} ${result}`);
      return Promise.resolve();
    },
    auditRule: ({ words, result }) => {
      this.audited.push(
        `${words.map(({ key, operator, value }) => `${key}${operator}${value}`).join(' ')} ${result}`,
      );
      return Promise.resolve();
    },
  });

  get system(): Namespace {
    return this.namespaces.registry.system;
  }

  open(namespace = this.system): PolicyLoad {
    const load = this.loader.open(namespace);
    assert.ok(typeof load !== 'string');
    return load;
  }

  write(load: PolicyLoad, text: string) {
    return load.write(Buffer.from(text), this.namespaces.caller(1n));
  }

  commit(load: PolicyLoad) {
    return load.commit(this.namespaces.caller(1n));
  }

  rules(namespace = this.system): string {
    return namespace.ima.policy.text();
  }
}

test('a write takes its first line; nothing is in force before the flush', async () => {
  const it = new LoaderFixture();
  const load = it.open();
  assert.deepEqual(await it.write(load, `${RULE}\nmore`), { taken: RULE.length + 1 });
  assert.equal(it.rules(), 'measure \n');
  assert.equal(await it.commit(load), undefined);
  assert.equal(it.rules(), `${RULE} \n`);
  assert.equal(it.changes, 1);
  assert.deepEqual(it.audited, ['action=appraise fowner=1000 1', 'policy_update completed 1']);
});

test('the first custom policy replaces the built-in one, later ones are appended', async () => {
  const it = new LoaderFixture();
  for (const rule of [RULE, 'audit fowner=1001']) {
    const load = it.open();
    await it.write(load, rule);
    await it.commit(load);
    it.loader.close(load);
  }
  assert.equal(it.rules(), `${RULE} \naudit fowner=1001 \n`);
});

test('a policy given at the start counts as a custom one', async () => {
  const it = new LoaderFixture();
  it.loader.startedCustom(it.system);
  const load = it.open();
  await it.write(load, RULE);
  await it.commit(load);
  assert.equal(it.rules(), `measure \n${RULE} \n`);
});

test('a flush with nothing new does nothing, each flush after a write commits', async () => {
  const it = new LoaderFixture();
  const load = it.open();
  await it.commit(load);
  await it.write(load, `${RULE}\n`);
  await it.commit(load);
  await it.commit(load);
  await it.write(load, 'audit fowner=1001\n');
  await it.commit(load);
  assert.equal(it.rules(), `${RULE} \naudit fowner=1001 \n`);
  assert.equal(it.changes, 2);
});

test('a bad rule fails its write and drops the whole open; good ones after it are taken in vain', async () => {
  const it = new LoaderFixture();
  const load = it.open();
  await it.write(load, `${RULE}\n`);
  const bad = await it.write(load, 'appraise fowner=me\n');
  assert.ok('errno' in bad);
  assert.deepEqual([bad.errno, bad.source, bad.line, bad.column], ['EINVAL', 'policy', 2, 10]);
  assert.deepEqual(await it.write(load, `${RULE}\n`), { taken: RULE.length + 1 });
  assert.ok('errno' in (await it.write(load, 'bogus\n')));
  assert.equal(await it.commit(load), undefined);
  assert.equal(await it.commit(load), undefined);
  assert.equal(it.rules(), 'measure \n');
  assert.equal(it.loader.lastFailure(it.system)?.line, 2);
  assert.deepEqual(it.audited, [
    'action=appraise fowner=1000 1',
    'action=appraise fowner=me 0',
    'update_policy invalid-policy 0',
    'action=appraise fowner=1000 1',
    'UNKNOWN=bogus 0',
    'update_policy invalid-policy 0',
    'policy_update failed 0',
  ]);
});

test('a bad rule takes back what an earlier flush of its open put in force', async () => {
  const it = new LoaderFixture();
  const load = it.open();
  await it.write(load, RULE);
  await it.commit(load);
  assert.equal(it.rules(), `${RULE} \n`);
  await it.write(load, 'bogus');
  assert.equal(it.rules(), 'measure \n', 'the built-in policy is back');
  await it.commit(load);
  it.loader.close(load);
  const again = it.open();
  await it.write(again, 'audit');
  await it.commit(again);
  assert.equal(it.rules(), 'audit \n', 'and still counts as one that a custom policy replaces');
});

test('the records of a policy carry no errno, as those of the kernel', async () => {
  const it = new LoaderFixture();
  const load = it.open();
  await it.write(load, 'bogus');
  await it.commit(load);
  assert.deepEqual(new Set(it.errnos), new Set([0]));
});

test('a file is logged rule by rule, as far as it is one', async () => {
  const it = new LoaderFixture();
  it.files.set('/rules', `${RULE}\naudit uid<5\nsecret\n`);
  await it.write(it.open(), '/rules');
  assert.deepEqual(it.audited, [
    'action=appraise fowner=1000 1',
    'action=audit uid<5 1',
    'update_policy invalid-policy 0',
  ]);
});

test('what was not flushed is dropped at release', async () => {
  const it = new LoaderFixture();
  const load = it.open();
  await it.write(load, RULE);
  it.loader.close(load);
  assert.equal(it.rules(), 'measure \n');
});

test('one loader at a time for each namespace, not for all', async () => {
  const it = new LoaderFixture();
  const container = await it.namespaces.activated(2n, []);
  const load = it.open();
  assert.equal(it.loader.open(it.system), 'EBUSY');
  it.open(container);
  it.loader.close(load);
  it.open();
});

test('a path names a file that is read as the writer would; its content is not shown', async () => {
  const it = new LoaderFixture();
  it.files.set('/etc/good', `# two\n${RULE}\naudit\n`);
  it.files.set('/etc/shadow', 'root:secret\n');
  const load = it.open();
  assert.deepEqual(await it.write(load, '/etc/good\n'), { taken: 10 });
  await it.commit(load);
  assert.equal(it.rules(), `${RULE} \naudit \n`);
  it.loader.close(load);
  const refused = await it.write(it.open(), '/etc/shadow');
  assert.ok('errno' in refused);
  assert.deepEqual([refused.errno, refused.line, refused.message], ['EINVAL', 1, 'not a rule']);
  assert.ok(!it.audited.join().includes('secret'));
});

test('a file that cannot be read fails with its errno', async () => {
  const it = new LoaderFixture();
  const refused = await it.write(it.open(), '/none');
  assert.ok('errno' in refused && refused.errno === 'ENOENT');
});

test('a namespace may have so many rules, the system any number', async () => {
  const it = new LoaderFixture();
  const container = await it.namespaces.activated(2n, []);
  it.files.set('/many', `${RULE}\n`.repeat(LIMITS.rules));
  const load = it.open(container);
  assert.ok('taken' in (await it.write(load, '/many')));
  const over = await it.write(load, RULE);
  assert.ok('errno' in over && over.errno === 'ENOSPC');
  const system = it.open();
  await it.write(system, '/many');
  assert.ok('taken' in (await it.write(system, RULE)));
});

test('with appraise func=POLICY_CHECK a signed policy is required', async () => {
  const it = new LoaderFixture();
  const load = it.open();
  await it.write(load, 'appraise func=POLICY_CHECK');
  await it.commit(load);
  it.loader.close(load);
  const refused = await it.write(it.open(), RULE);
  assert.ok('errno' in refused && refused.errno === 'EACCES');
  assert.ok(it.audited.includes('policy_update signed policy required 0'));
});

test('a namespace that ended takes no policy', async () => {
  const it = new LoaderFixture();
  const container = await it.namespaces.activated(2n, []);
  const load = it.open(container);
  container.retire();
  const refused = await it.write(load, RULE);
  assert.ok('errno' in refused && refused.errno === 'EINVAL');
  assert.equal(it.loader.open(container), 'EINVAL');
});

test('the first policy that is loaded is told of, later ones are not', async () => {
  const fixture = new LoaderFixture();
  for (let count = 0; count < 2; count++) {
    const load = fixture.open();
    await fixture.commit(load);
    await fixture.write(load, RULE);
    await fixture.commit(load);
    fixture.loader.close(load);
  }
  assert.deepEqual(fixture.first, [fixture.system.name]);
});
