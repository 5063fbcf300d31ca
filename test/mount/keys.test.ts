/** Keyrings of namespaces on a real mount: keys=DIR, keys/ of the control tree. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe } from 'node:test';

import { parseCertificate } from '../../src/keys/certificate.js';
import { CA, Certificates } from '../helpers/certificates.js';
import { type Imafs, useImafs } from '../helpers/imafs.js';
import type { Namespace } from '../helpers/namespace.js';

const made = new Certificates();
const directory = mkdtempSync(join(tmpdir(), 'imafs-keys-dir-'));
after(() => {
  made.remove();
  rmSync(directory, { recursive: true });
});

made.make('ca', { extensions: CA, subject: '/O=Acme/CN=Root' });
for (const name of ['leaf', 'one', 'two', 'revoked']) made.make(name, { issuer: 'ca' });
made.make('rogue');

function skid(name: string): string {
  return Buffer.from(facts(name).subjectKeyId ?? []).toString('hex');
}

function facts(name: string) {
  const parsed = parseCertificate(made.read(`${name}.der`));
  assert.ok(parsed.ok);
  return parsed.value;
}

const tbsOf = (name: string): string =>
  `tbs:${Buffer.from(facts(name).tbsDigest ?? []).toString('hex')}`;

/** A line of a keyring. */
const lineOf = (name: string, description = name): string =>
  `${skid(name).slice(-8)} ${description}: ${skid(name)}\n`;

for (const name of ['ca.pem', 'leaf.der', 'rogue.pem']) {
  copyFileSync(made.path(name), join(directory, name));
}
writeFileSync(join(directory, 'blacklist'), `${tbsOf('revoked')}\n`);

/** How `cat CERT > keys/.ima` ends: undefined, or what strerror(3) says. */
async function add(
  imafs: Imafs,
  writer: Namespace,
  target: Namespace,
  file: string,
): Promise<string | undefined> {
  const keyring = imafs.control(`${target.id}/keys/.ima`);
  // dd, unlike cat, tells what close(2) said.
  const { exit, stderr } = await writer.run([
    'dd',
    `if=${file}`,
    `of=${keyring}`,
    'bs=64k',
    'status=none',
  ]);
  return exit === 0 ? undefined : (/: ([^:]+)\n$/.exec(stderr)?.[1] ?? stderr);
}

const keyring = (imafs: Imafs, reader: Namespace, target: Namespace, name: string) =>
  reader.ok(['cat', imafs.control(`${target.id}/keys/${name}`)]);

describe('a mount with keys=DIR that has a CA', () => {
  const imafs = useImafs({ options: { keys: directory } });

  imafs.test('begins with what the CA vouches for; the rest is named', async () => {
    const { system } = imafs;
    assert.equal(await keyring(imafs, system, system, '.ima'), lineOf('leaf'));
    const authorities = await keyring(imafs, system, system, '.builtin_trusted_keys');
    assert.equal(authorities, lineOf('ca', 'Acme: Root'));
    assert.equal(await keyring(imafs, system, system, '.blacklist'), `${tbsOf('revoked')}\n`);
    const { mount } = (await imafs.status()) as { mount: { unadmittedKeys: unknown[] } };
    assert.deepEqual(mount.unadmittedKeys, [
      {
        file: join(directory, 'rogue.pem'),
        description: `rogue: ${skid('rogue')}`,
        reasons: ['no CA of the system keyring issued it'],
      },
    ]);
    assert.match(imafs.daemon.log(), /certificate not admitted to \.ima/);
  });

  imafs.test('each namespace has keys of its own, which the CA must have issued', async () => {
    const [first, second] = [await imafs.activated([]), await imafs.activated([])];
    assert.equal(await add(imafs, first, first, made.path('one.der')), undefined);
    assert.equal(await add(imafs, imafs.system, second, made.path('two.pem')), undefined);
    assert.equal(await keyring(imafs, first, first, '.ima'), lineOf('leaf') + lineOf('one'));
    assert.equal(await keyring(imafs, second, second, '.ima'), lineOf('leaf') + lineOf('two'));
    assert.equal(await keyring(imafs, imafs.system, imafs.system, '.ima'), lineOf('leaf'));
    const pem = await keyring(imafs, first, first, '.ima.pem');
    assert.ok(pem.includes(String(made.read('one.pem')).trim()));
  });

  imafs.test('what is refused has the errno of add_key and a reason in status', async () => {
    const container = await imafs.activated([]);
    const garbage = join(made.directory, 'garbage');
    writeFileSync(garbage, 'no certificate\n');
    const refused: readonly [file: string, error: string, reason: RegExp][] = [
      [made.path('rogue.pem'), 'Required key not available', /^no CA of the system keyring/],
      [made.path('ca.pem'), 'Required key not available', /^its key is not for signatures/],
      [made.path('revoked.der'), 'Key was rejected by service', /^it is blacklisted: tbs:/],
      [garbage, 'Bad message', /^no certificate: /],
    ];
    for (const [file, error, expected] of refused) {
      assert.equal(await add(imafs, container, container, file), error);
      const { lastKeyRefusal } = (await imafs.status(container)) as {
        lastKeyRefusal: { reasons: { reason: string }[] };
      };
      assert.match(lastKeyRefusal.reasons[0]?.reason ?? '', expected);
    }
    assert.equal(await keyring(imafs, container, container, '.ima'), lineOf('leaf'));
  });

  imafs.test('a blacklist of one’s own keeps keys out of one’s own keyring only', async () => {
    const [first, second] = [await imafs.activated([]), await imafs.activated([])];
    await first.ok(['sh', '-c', `echo ${tbsOf('one')} > ${imafs.control('self/keys/.blacklist')}`]);
    assert.equal(
      await add(imafs, first, first, made.path('one.der')),
      'Key was rejected by service',
    );
    assert.equal(await add(imafs, second, second, made.path('one.der')), undefined);
    const shown = await keyring(imafs, first, first, '.blacklist');
    assert.equal(shown, `${tbsOf('revoked')}\n${tbsOf('one')}\n`);
    const bad = await first.run([
      'sh',
      '-c',
      `echo tbs:0 > ${imafs.control('self/keys/.blacklist')}`,
    ]);
    assert.notEqual(bad.exit, 0);
  });

  imafs.test('keys are for the root of the namespace and of the system only', async () => {
    const [first, second] = [await imafs.activated([]), await imafs.activated([])];
    assert.equal(await add(imafs, second, first, made.path('one.der')), 'Permission denied');
    const user = await first.run(['cat', imafs.control('self/keys/.ima')], { uid: 1000 });
    assert.match(user.stderr, /Permission denied/);
    const names = await first.ok(['ls', '-A', imafs.control('self/keys')]);
    assert.match(
      names,
      /^\.blacklist\n\.builtin_trusted_keys\n\.builtin_trusted_keys\.pem\n\.ima\n\.ima\.pem\n$/,
    );
  });
});

describe('a mount without a CA', () => {
  const imafs = useImafs();

  imafs.test('takes any key of whoever is root there', async () => {
    const container = await imafs.activated([]);
    assert.equal(await add(imafs, container, container, made.path('rogue.der')), undefined);
    assert.equal(await keyring(imafs, container, container, '.ima'), lineOf('rogue'));
    assert.equal(await keyring(imafs, container, container, '.builtin_trusted_keys'), '');
  });
});
