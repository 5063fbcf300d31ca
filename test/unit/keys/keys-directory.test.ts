import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadAddon } from '../../../src/binding/addon.js';
import { createHasher } from '../../../src/binding/hash-algorithms.js';
import { Keyring, type TrustedKey } from '../../../src/ima/keyring/keyring.js';
import { admitKey } from '../../../src/keys/admit-key.js';
import { parseCertificate } from '../../../src/keys/certificate.js';
import { readKeysDirectory, type SystemKeys } from '../../../src/keys/keys-directory.js';
import { CA, Certificates } from '../../helpers/certificates.js';

const made = new Certificates();
const addon = loadAddon();
const directories: string[] = [];
after(() => {
  made.remove();
  for (const directory of directories) rmSync(directory, { recursive: true });
});

made.make('ca', { extensions: CA });
made.make('leaf', { issuer: 'ca' });
made.make('rogue');
/** As `openssl req -x509` makes it where nobody says otherwise. */
made.make('default', {
  extensions: ['basicConstraints=critical,CA:TRUE', 'subjectKeyIdentifier=hash'],
});

const loadPublicKey = (spki: Uint8Array) => addon.publicKey(spki);

function directoryOf(files: Readonly<Record<string, string | Uint8Array>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'imafs-keysdir-'));
  directories.push(directory);
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(directory, name), content);
  return directory;
}

function read(files: Readonly<Record<string, string | Uint8Array>>): SystemKeys {
  const keys = readKeysDirectory(directoryOf(files), loadPublicKey);
  assert.ok(keys.ok, keys.ok ? '' : keys.problem);
  return keys.value;
}

const names = ({ trusted }: SystemKeys): string[] =>
  trusted.map(({ description }) => description.replace(/: .*/, ''));

test('CAs vouch, the rest is .ima if they did; other files are nobody’s business', () => {
  const keys = read({
    'ca.pem': made.read('ca.pem'),
    'leaf.der': made.read('leaf.der'),
    'rogue.CRT': made.read('rogue.der'),
    'leaf.key': made.read('leaf.key'),
    README: 'not a certificate',
  });
  assert.equal(keys.authorities.length, 1);
  assert.deepEqual(names(keys), ['leaf']);
  const [unadmitted, ...more] = keys.unadmitted;
  assert.deepEqual(more, []);
  assert.match(unadmitted?.file ?? '', /rogue\.CRT$/);
  assert.deepEqual(unadmitted?.reasons, ['no CA of the system keyring issued it']);
});

test('without a CA all of it is trusted', () => {
  const keys = read({ 'leaf.x509': made.read('leaf.der'), 'rogue.cer': made.read('rogue.pem') });
  assert.deepEqual([names(keys), keys.authorities, keys.unadmitted], [['leaf', 'rogue'], [], []]);
});

test('a CA signs files too unless its key usage says otherwise', () => {
  const keys = read({ 'a.pem': made.read('default.pem'), 'b.pem': made.read('ca.pem') });
  assert.deepEqual(names(keys), ['default']);
  assert.equal(keys.authorities.length, 2);
  assert.deepEqual(keys.unadmitted, []);
});

test('the blacklist of the directory keeps its certificates out', () => {
  const certificate = parseCertificate(made.read('leaf.der'));
  assert.ok(certificate.ok);
  const tbs = Buffer.from(certificate.value.tbsDigest ?? []).toString('hex');
  const keys = read({
    blacklist: `# revoked\ntbs:${tbs}  # leaf\n\nbin:00ff\n`,
    'ca.pem': made.read('ca.pem'),
    'leaf.pem': made.read('leaf.pem'),
  });
  assert.deepEqual(names(keys), []);
  assert.equal(keys.blacklist.length, 2);
  assert.deepEqual(keys.unadmitted[0]?.reasons, [`it is blacklisted: tbs:${tbs}`]);
});

test('what is no certificate or blacklist is named with its file', () => {
  const bad: readonly [name: string, content: string | Uint8Array, problem: RegExp][] = [
    ['x.pem', 'garbage', /x\.pem: no certificate: /],
    ['x.der', made.read('leaf.der').subarray(1), /x\.der: no certificate: /],
    ['x.pem', made.read('leaf.key'), /x\.pem: no certificate among the PEM blocks/],
    ['blacklist', 'bin:0\n', /blacklist: line 1: 'bin:0' is neither/],
    ['blacklist', 'bin:AA\n', /blacklist: line 1/],
    ['blacklist', '\ntbs:\n', /blacklist: line 2/],
  ];
  for (const [name, content, problem] of bad) {
    const keys = readKeysDirectory(directoryOf({ [name]: content }), loadPublicKey);
    assert.ok(!keys.ok);
    assert.match(keys.problem, problem);
  }
  const missing = readKeysDirectory('/nowhere', loadPublicKey);
  assert.deepEqual(missing, { ok: false, problem: '/nowhere cannot be read: ENOENT' });
  const directory = directoryOf({});
  mkdirSync(join(directory, 'sub.pem'));
  assert.equal(readKeysDirectory(directory, loadPublicKey).ok, false);
});

test('a trusted key verifies what openssl signed, RSA and EC, and nothing else', () => {
  made.make('rsa', { key: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'] });
  const directory = directoryOf({});
  for (const name of ['leaf', 'rsa'])
    copyFileSync(made.path(`${name}.der`), join(directory, `${name}.der`));
  const keys = readKeysDirectory(directory, loadPublicKey);
  assert.ok(keys.ok);
  const file = made.path('message');
  writeFileSync(file, 'what was signed');
  for (const [index, name] of ['leaf', 'rsa'].entries()) {
    for (const algorithm of ['sha256', 'sha512', 'sha3-256']) {
      const words = ['dgst', `-${algorithm}`, '-sign', made.path(`${name}.key`), file];
      const signature = execFileSync('openssl', words);
      const hasher = createHasher(algorithm);
      hasher?.update(Buffer.from('what was signed'));
      const bytes = hasher?.digest() ?? new Uint8Array();
      const key: TrustedKey | undefined = keys.value.trusted[index];
      assert.ok(key);
      assert.equal(key.verify({ algorithm, bytes }, signature), true, `${name} ${algorithm}`);
      assert.equal(
        key.verify({ algorithm, bytes: bytes.map((byte) => byte ^ 1) }, signature),
        false,
      );
      assert.equal(key.verify({ algorithm: 'streebog256', bytes }, signature), false);
      assert.equal(key.verify({ algorithm, bytes }, Buffer.alloc(0)), false);
    }
  }
});

test('one certificate at a time is admitted, with the errno of add_key', () => {
  const authorities = read({ 'ca.pem': made.read('ca.pem') }).authorities;
  const admit = (content: Uint8Array) =>
    admitKey(content, new Keyring(), authorities, loadPublicKey);
  const admitted = admit(made.read('leaf.pem'));
  assert.ok(admitted.ok);
  assert.deepEqual(admitted.value.certificate, made.read('leaf.der'));
  const bundle = Buffer.concat([made.read('leaf.pem'), made.read('rogue.pem')]);
  for (const [content, errno] of [
    [made.read('rogue.der'), 'ENOKEY'],
    [Buffer.from('x'), 'EBADMSG'],
    [bundle, 'EBADMSG'],
  ] as const) {
    const refused = admit(content);
    assert.ok(!refused.ok);
    assert.equal(refused.problem.errno, errno);
    assert.ok(refused.problem.reasons.length > 0);
  }
});
