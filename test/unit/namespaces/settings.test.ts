import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NamespaceFixture } from './fixture.js';
import { settingsOf } from './settings-fixture.js';

const CONTAINER = 2n;

test('mode, hash and template are checked, and changing them voids what was decided', async () => {
  const fixture = new NamespaceFixture();
  const container = await fixture.activated(CONTAINER, []);
  const settings = settingsOf(fixture);
  const { generation } = container.ima;
  assert.equal(settings.setMode(container, 'loud'), 'EINVAL');
  assert.equal(settings.setMode(container, 'log'), undefined);
  assert.equal(settings.setHash(container, 'md4'), 'EINVAL');
  assert.equal(settings.setHash(container, 'sha512'), undefined);
  assert.equal(settings.setTemplate(container, 'ima-gn'), 'EINVAL');
  assert.equal(settings.setTemplate(container, 'ima-sig'), undefined);
  const { mode, hashAlgorithm, template } = container.ima;
  assert.deepEqual([mode, hashAlgorithm, template.name], ['log', 'sha512', 'ima-sig']);
  assert.equal(container.ima.generation, generation + 3);
});

test('a container asks for a TPM by auto, the system gives any', async () => {
  const fixture = new NamespaceFixture();
  const container = await fixture.activated(CONTAINER, []);
  const given: string[] = [];
  const settings = settingsOf(fixture, {
    changeTpm: (_, tpm) => {
      given.push(tpm);
      return Promise.resolve(true);
    },
  });
  const own = fixture.caller(CONTAINER);
  assert.equal(await settings.setTpm(container, 'swtpm:path=/s', own), 'EPERM');
  assert.equal(await settings.setTpm(container, 'auto', own), undefined);
  assert.equal(await settings.setTpm(container, 'swtpm:path=/s', fixture.caller(1n)), undefined);
  assert.deepEqual(given, ['auto', 'swtpm:path=/s']);
});

test("the machine's TPM is not for who activated himself", async () => {
  const fixture = new NamespaceFixture();
  const given = await fixture.activated(CONTAINER, []);
  const own = fixture.registry.obtain(3n, 1003, 1);
  own.activate({ by: 'own-root', ownerUid: 1000, time: '' });
  for (const [has, errno] of [
    [true, 'EPERM'],
    [false, undefined],
  ] as const) {
    const settings = settingsOf(fixture, { machineHasTpm: () => has });
    assert.equal(await settings.setTpm(own, 'auto', fixture.caller(3n)), errno);
    assert.equal(await settings.setTpm(given, 'auto', fixture.caller(CONTAINER)), undefined);
    assert.equal(await settings.setTpm(own, 'auto', fixture.caller(1n)), undefined);
  }
});

test('a TPM that cannot be had is said, one after the first measurement is too late', async () => {
  const fixture = new NamespaceFixture();
  const container = await fixture.activated(CONTAINER, []);
  const caller = fixture.caller(1n);
  const failing = (error: Error) => settingsOf(fixture, { changeTpm: () => Promise.reject(error) });
  const code = Object.assign(new Error('no such TPM'), { code: 'EINVAL' });
  assert.equal(await failing(code).setTpm(container, 'cmd:x', caller), 'EINVAL');
  assert.equal(await failing(new Error('no answer')).setTpm(container, 'x', caller), 'EIO');
  assert.equal(container.events.entries().at(-1)?.detail['problem'], 'no answer');
  const late = settingsOf(fixture, { changeTpm: () => Promise.resolve(false) });
  assert.equal(await late.setTpm(container, 'none', caller), 'EBUSY');
  assert.equal(await late.setTpm(fixture.registry.system, 'none', caller), 'EBUSY');
});
