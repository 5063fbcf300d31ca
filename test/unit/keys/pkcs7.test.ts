import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { loadAddon } from '../../../src/binding/addon.js';
import { Keyring } from '../../../src/ima/keyring/keyring.js';
import { parseCertificate } from '../../../src/keys/certificate.js';
import { type Pkcs7, parsePkcs7 } from '../../../src/keys/pkcs7.js';
import { trustedKey } from '../../../src/keys/trusted-key.js';
import { isModuleSignature, verifyPkcs7 } from '../../../src/keys/verify-pkcs7.js';
import { Certificates } from '../../helpers/certificates.js';

const made = new Certificates();
after(() => made.remove());
const addon = loadAddon();

made.make('rsa', { key: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'] });
made.make('ec');
const content = made.path('content');
writeFileSync(content, 'a module, say');

function facts(name: string) {
  const certificate = parseCertificate(made.read(`${name}.der`));
  assert.ok(certificate.ok);
  return certificate.value;
}

function keyringOf(...names: string[]): Keyring {
  const keyring = new Keyring();
  for (const name of names) keyring.add(trustedKey(facts(name), (spki) => addon.publicKey(spki)));
  return keyring;
}

/** As scripts/sign-file.c makes it with `-binary -noattr`, and otherwise. */
function signedBy(names: readonly string[], ...options: string[]): Buffer {
  const file = made.path('p7');
  const signers = names.flatMap((name) => [
    '-signer',
    made.path(`${name}.pem`),
    '-inkey',
    made.path(`${name}.key`),
  ]);
  const words = ['-sign', '-binary', '-in', content, '-outform', 'DER', '-out', file, ...signers];
  execFileSync('openssl', ['cms', ...words, ...options]);
  return readFileSync(file);
}

function parsed(der: Uint8Array): Pkcs7 {
  const message = parsePkcs7(der);
  assert.ok(message.ok, message.ok ? '' : message.problem);
  return message.value;
}

function verifies(message: Pkcs7, keyring: Keyring, text = 'a module, say'): boolean {
  const digest = createHash(message.digestAlgorithm).update(text).digest();
  return verifyPkcs7(message, digest, keyring);
}

for (const name of ['rsa', 'ec']) {
  test(`${name}: what openssl signs verifies by the key in the keyring, and by no other`, () => {
    for (const options of [
      ['-noattr', '-md', 'sha256'],
      ['-noattr', '-md', 'sha512', '-nocerts'],
      ['-noattr', '-keyid', '-md', 'sha384'],
      ['-md', 'sha256'],
      ['-keyid', '-nosmimecap', '-md', 'sha224'],
    ]) {
      const message = parsed(signedBy([name], ...options));
      const what = options.join(' ');
      assert.equal(message.digestAlgorithm, options.at(options.indexOf('-md') + 1));
      assert.equal(message.certificates.length, options.includes('-nocerts') ? 0 : 1);
      assert.equal(verifies(message, keyringOf('rsa', 'ec')), true, what);
      assert.equal(verifies(message, keyringOf(name === 'ec' ? 'rsa' : 'ec')), false, what);
      assert.equal(verifies(message, keyringOf(name), 'another module'), false, what);
      assert.equal(isModuleSignature(message), options.includes('-noattr'), what);
    }
  });
}

test('old openssl smime, which names signers by issuer and serial number', () => {
  const words = ['-sign', '-binary', '-noattr', '-in', content, '-outform', 'DER'];
  const signer = ['-signer', made.path('rsa.pem'), '-inkey', made.path('rsa.key')];
  const message = parsed(execFileSync('openssl', ['smime', ...words, ...signer]));
  assert.equal(message.signers[0]?.id.kind, 'issuer-and-serial');
  assert.deepEqual(Buffer.from(message.certificates[0] ?? []), made.read('rsa.der'));
  assert.equal(verifies(message, keyringOf('rsa')), true);
});

test('of two signers one must be known, and a known one must be right', () => {
  const message = parsed(signedBy(['rsa', 'ec'], '-noattr', '-md', 'sha256'));
  assert.equal(message.signers.length, 2);
  assert.equal(verifies(message, keyringOf('ec')), true);
  assert.equal(verifies(message, keyringOf('rsa', 'ec')), true);
  const signers = message.signers.map((signer, index) =>
    index === 0 ? { ...signer, signature: Buffer.from(signer.signature).fill(1) } : signer,
  );
  assert.equal(verifies({ ...message, signers }, keyringOf('rsa', 'ec')), false);
});

test('changed attributes or a changed signature do not verify', () => {
  const message = parsed(signedBy(['rsa'], '-md', 'sha256'));
  const [signer] = message.signers;
  assert.ok(signer?.signedAttributes);
  const { signedAttributes } = signer;
  assert.equal(signedAttributes.der[0], 0x31);
  const der = Buffer.from(signedAttributes.der);
  der.writeUInt8(der.readUInt8(der.length - 1) ^ 1, der.length - 1);
  const changed = [
    { ...signer, signedAttributes: { ...signedAttributes, der } },
    { ...signer, signature: Buffer.alloc(0) },
    { ...signer, signatureAlgorithm: undefined },
    { ...signer, signedAttributes: undefined },
  ];
  for (const one of changed) {
    assert.equal(verifies({ ...message, signers: [one] }, keyringOf('rsa')), false);
  }
});

test('a message with a blacklisted certificate is refused', () => {
  const message = parsed(signedBy(['rsa'], '-noattr', '-md', 'sha256'));
  const keyring = keyringOf('rsa');
  keyring.addToBlacklist('tbs', facts('rsa').tbsDigest ?? new Uint8Array());
  assert.equal(verifies(message, keyring), false);
});

test('what is no detached signature is refused with a sentence', () => {
  const good = signedBy(['rsa'], '-noattr', '-md', 'sha256');
  const bad = [
    Buffer.alloc(0),
    good.subarray(0, -1),
    Buffer.concat([good, Buffer.of(0)]),
    made.read('rsa.der'),
    signedBy(['rsa'], '-nodetach', '-md', 'sha256'),
    signedBy(['rsa'], '-noattr', '-md', 'md5'),
  ];
  for (const der of bad) {
    const message = parsePkcs7(der);
    assert.ok(!message.ok);
    assert.ok(message.problem.length > 5);
  }
});

test('a megabyte of tiny values, or of nesting, is given up early', () => {
  const bytes = 1024 * 1024 - 4;
  const header = Buffer.of(0x30, 0x83, (bytes >> 16) & 255, (bytes >> 8) & 255, bytes & 255);
  for (const tiny of [Buffer.of(5, 0), Buffer.of(0x30, 0), Buffer.of(0x30, 0x80)]) {
    const start = performance.now();
    const message = parsePkcs7(Buffer.concat([header, Buffer.alloc(bytes - 1, tiny)]));
    assert.ok(!message.ok);
    // Reading all of it takes seconds.
    assert.ok(performance.now() - start < 1000);
  }
});

test('no bytes make the parser throw, and none that are changed verify', () => {
  const der = signedBy(['ec'], '-md', 'sha256');
  const keyring = keyringOf('ec');
  const digest = createHash('sha256').update('another module').digest();
  const check = (bytes: Uint8Array): void => {
    const message = parsePkcs7(bytes);
    if (message.ok) assert.equal(verifyPkcs7(message.value, digest, keyring), false);
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), check));
  const change = fc.tuple(fc.nat(der.length - 1), fc.nat(255));
  fc.assert(
    fc.property(
      fc.array(change, { minLength: 1, maxLength: 6 }),
      fc.nat(der.length),
      (changes, cut) => {
        const changed = Buffer.from(der);
        for (const [at, byte] of changes) changed[at] = byte;
        check(changed);
        check(changed.subarray(0, cut));
      },
    ),
    { numRuns: 1000 },
  );
});
