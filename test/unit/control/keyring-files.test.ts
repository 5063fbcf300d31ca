import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TrustedKey } from '../../../src/ima/keyring/keyring.js';
import { Fixture, O_WRONLY } from './fixture.js';

const key = (keyId: number, description: string): TrustedKey => ({
  keyId,
  description,
  certificate: Buffer.alloc(60, keyId),
  verify: () => false,
});

test('a line for each key, and the certificates in PEM', async () => {
  const fixture = new Fixture();
  const root = fixture.caller(fixture.system);
  const { keyring } = fixture.container.ima;
  keyring.add(key(1, 'one: 01'));
  keyring.add(key(0xdeadbeef, 'two: deadbeef'));
  const read = async (name: string): Promise<string> =>
    (await fixture.open(root, `4026532001/keys/${name}`)).read();
  assert.equal(await read('.ima'), '00000001 one: 01\ndeadbeef two: deadbeef\n');
  assert.equal(await read('.builtin_trusted_keys'), '000000ab CA: ab\n');
  const pem = await read('.ima.pem');
  const blocks = pem.match(
    /-----BEGIN CERTIFICATE-----\n([^-\n]{1,64}\n)+-----END CERTIFICATE-----\n/g,
  );
  assert.equal(blocks?.join(''), pem);
  assert.equal(blocks.length, 2);
  const [first = ''] = blocks;
  const base64 = first.replace(/-----.*-----|\n/g, '');
  assert.deepEqual(Buffer.from(base64, 'base64'), Buffer.alloc(60, 1));
  assert.equal(await (await fixture.open(root, '4026532002/keys/.ima')).read(), '');
});

test('the blacklist shows what counts: the system’s entries, then the own', async () => {
  const fixture = new Fixture();
  fixture.system.ima.keyring.addToBlacklist('tbs', Buffer.of(1));
  fixture.container.ima.keyring.addToBlacklist('bin', Buffer.of(2));
  fixture.container.ima.keyring.addToBlacklist('tbs', Buffer.of(1));
  const root = fixture.caller(fixture.container);
  const shown = await (await fixture.open(root, '4026532001/keys/.blacklist')).read();
  assert.equal(shown, 'tbs:01\nbin:02\n');
});

test('what is written until a close is one certificate', async () => {
  const fixture = new Fixture();
  const root = fixture.caller(fixture.container);
  const file = await fixture.open(root, '4026532001/keys/.ima', O_WRONLY);
  // The close of a duplicate before anything was written.
  assert.equal(await file.flush(), undefined);
  assert.equal(await file.write('ab'), 2);
  assert.equal(await file.write('cd'), 2);
  assert.equal(await file.flush(), undefined);
  assert.equal(await file.flush(), undefined);
  await file.write('!x');
  assert.equal(await file.flush(), 'ENOKEY');
  await file.write('dropped');
  await file.release();
  assert.deepEqual(fixture.done, ['key abcd for 4026532001', 'key !x for 4026532001']);
});

test('no more than a certificate can be is taken', async () => {
  const fixture = new Fixture();
  const root = fixture.caller(fixture.container);
  const file = await fixture.open(root, '4026532001/keys/.ima', O_WRONLY);
  assert.equal(await file.write('x'.repeat(131_072)), 131_072);
  assert.equal(await file.write('x'), 'EFBIG');
});

test('a blacklist entry is one line of one write', async () => {
  const fixture = new Fixture();
  const root = fixture.caller(fixture.container);
  const file = await fixture.open(root, '4026532001/keys/.blacklist', O_WRONLY);
  assert.equal(await file.write('bin:00\nbin:01\n'), 7);
  assert.equal(await file.write('# comment\n'), 'EINVAL');
  assert.deepEqual(fixture.done, [
    'blacklist bin:00 for 4026532001',
    'blacklist # comment for 4026532001',
  ]);
});

test('CAs are read only, and under replace the keyrings are the system’s to write', async () => {
  const fixture = new Fixture({ nsPolicy: 'replace' });
  const [root, own] = [fixture.caller(fixture.system), fixture.caller(fixture.container)];
  const at = (name: string): string => `4026532001/keys/${name}`;
  assert.equal(await fixture.openError(root, at('.builtin_trusted_keys'), O_WRONLY), 'EACCES');
  for (const name of ['.ima', '.blacklist']) {
    assert.equal(await fixture.openError(own, at(name), O_WRONLY), 'EPERM');
    assert.equal(await fixture.openError(own, at(name)), undefined);
    assert.equal(await fixture.openError(root, at(name), O_WRONLY), undefined);
  }
  assert.equal(await fixture.openError(fixture.caller(fixture.other), at('.ima')), 'EACCES');
});
