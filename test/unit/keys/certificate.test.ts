import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { type Certificate, parseCertificate } from '../../../src/keys/certificate.js';
import { certificatesIn } from '../../../src/keys/certificates-in.js';
import { CA, type CertificateOptions, Certificates, LEAF } from '../../helpers/certificates.js';

const made = new Certificates();
after(() => made.remove());

let count = 0;
function make(options: CertificateOptions = {}): Certificate {
  count += 1;
  made.make(`c${count}`, options);
  return parsed(made.read(`c${count}.der`));
}

function parsed(der: Uint8Array): Certificate {
  const result = parseCertificate(der);
  assert.ok(result.ok, result.ok ? '' : result.problem);
  return result.value;
}

test('facts are those that openssl shows', () => {
  made.make('ca', { extensions: CA, subject: '/O=Acme/CN=Root' });
  const leaf = parsed(
    (made.make('leaf', { issuer: 'ca', subject: '/CN=signer', digest: 'sha384' }),
    made.read('leaf.der')),
  );
  const ca = parsed(made.read('ca.der'));
  const x509 = new X509Certificate(made.read('leaf.der'));
  const shown = execFileSync('openssl', [
    'x509',
    '-in',
    made.path('leaf.pem'),
    '-noout',
    '-ext',
    'subjectKeyIdentifier',
  ]).toString();
  const skid = /([0-9A-F]{2}:){19}[0-9A-F]{2}/.exec(shown)?.[0]?.replaceAll(':', '').toLowerCase();
  assert.equal(Buffer.from(leaf.subjectKeyId ?? []).toString('hex'), skid);
  assert.equal(leaf.keyId?.toString(16).padStart(8, '0'), skid?.slice(-8));
  assert.equal(leaf.description, `signer: ${skid}`);
  assert.equal(
    Buffer.from(leaf.serial).toString('hex').toUpperCase().replace(/^00/, ''),
    x509.serialNumber,
  );
  assert.deepEqual(leaf.issuer, ca.subject);
  assert.deepEqual(leaf.authorityKeyId?.keyId, ca.subjectKeyId);
  assert.deepEqual([leaf.isAuthority, ca.isAuthority], [false, true]);
  assert.deepEqual(leaf.keyUsage, { digitalSignature: true, keyCertSign: false });
  assert.deepEqual(ca.keyUsage, { digitalSignature: false, keyCertSign: true });
  assert.equal(leaf.key.name, 'EC prime256v1');
  assert.deepEqual(leaf.signatureAlgorithm, { key: 'ec', hash: 'sha384' });
  assert.equal(leaf.validTo.getTime(), Date.parse(x509.validTo));
});

test('the to-be-signed part is hashed as the signature has it', () => {
  const certificate = make({ digest: 'sha512' });
  // SEQUENCE { tbs, ... }: openssl's offset of the first inner element, with its header.
  const text = execFileSync('openssl', ['asn1parse', '-in', made.path(`c${count}.pem`)]).toString();
  const [, offset, header, length] =
    /^\s*(\d+):d=1\s+hl=(\d+)\s+l=\s*(\d+)/m.exec(text)?.map(Number) ?? [];
  assert.ok(offset !== undefined && header !== undefined && length !== undefined);
  const tbs = Buffer.from(certificate.der).subarray(offset, offset + header + length);
  const digest = createHash('sha512').update(tbs).digest();
  assert.deepEqual(Buffer.from(certificate.tbsDigest ?? []), digest);
});

test('descriptions are built as x509_fabricate_name does', () => {
  const names: readonly [subject: string, name: string][] = [
    ['/O=Acme/CN=Signer', 'Acme: Signer'],
    ['/O=Acme/CN=Acme Signer', 'Acme Signer'],
    ['/O=Acme Corporation/CN=Acme Coast', 'Acme Coast'],
    ['/O=Acme/CN=Acm', 'Acme: Acm'],
    ['/O=Acme', 'Acme'],
    ['/CN=one/CN=two', 'two'],
    ['/emailAddress=a@b.c', 'a@b.c'],
    ['/O=Acme/emailAddress=a@b.c', 'Acme'],
    ['/C=DE', ''],
    ['/CN=a\nb', 'a?b'],
  ];
  for (const [subject, name] of names) {
    assert.equal(make({ subject }).description.replace(/[0-9a-f]{40}$/, ''), `${name}: `, subject);
  }
});

test('without a subject key id the serial number describes the key, which has no id', () => {
  const plain = make({ extensions: ['basicConstraints=CA:FALSE', 'subjectKeyIdentifier=none'] });
  assert.equal(plain.keyId, undefined);
  assert.equal(plain.description, `c${count}: ${Buffer.from(plain.serial).toString('hex')}`);
  assert.equal(plain.keyUsage, undefined);
});

test('a short subject key id counts in full', () => {
  assert.equal(make({ extensions: ['subjectKeyIdentifier=0a0b'] }).keyId, 0x0a0b);
  assert.equal(make({ extensions: ['subjectKeyIdentifier=01fffffffe'] }).keyId, 0xfffffffe);
});

test('which keys the kernel can use', () => {
  const kinds: readonly [words: readonly string[], name: string, isSupported: boolean][] = [
    [['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'], 'RSA 2048', true],
    [['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'], 'EC secp384r1', true],
    [['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-192'], 'EC prime192v1', true],
    [['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:secp256k1'], 'EC secp256k1', false],
  ];
  for (const [key, name, isSupported] of kinds) {
    const certificate = make({ key });
    assert.deepEqual([certificate.key.name, certificate.key.isSupported], [name, isSupported]);
  }
  const odd = make({ key: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2056'] });
  assert.equal(odd.key.isSupported, false);
});

test('what is not one certificate is refused with a sentence', () => {
  make();
  const der = made.read(`c${count}.der`);
  const bad: readonly Uint8Array[] = [
    Buffer.alloc(0),
    Buffer.from('no certificate'),
    der.subarray(0, -1),
    Buffer.concat([der, Buffer.of(0)]),
    Buffer.alloc(70_000, 0x30),
    made.read(`c${count}.key`),
  ];
  for (const bytes of bad) {
    const result = parseCertificate(bytes);
    assert.ok(!result.ok);
    assert.ok(result.problem.length > 5);
  }
});

test('a file may have a bundle in PEM, with other blocks', () => {
  const [one, two] = [make(), make()];
  const bundle = Buffer.concat([
    made.read('c1.key'),
    made.read(`c${count - 1}.pem`),
    made.read(`c${count}.pem`),
  ]);
  const found = certificatesIn(bundle);
  assert.ok(found.ok);
  assert.deepEqual(
    found.value.map(({ keyId }) => keyId),
    [one.keyId, two.keyId],
  );
  for (const bad of [
    '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
    String(made.read('c1.key')),
  ]) {
    assert.equal(certificatesIn(Buffer.from(bad)).ok, false);
  }
});

test('no bytes make the parser throw', () => {
  make({ extensions: [...LEAF, 'subjectAltName=DNS:a'] });
  const der = made.read(`c${count}.der`);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      parseCertificate(bytes);
      certificatesIn(bytes);
    }),
  );
  const change = fc.tuple(fc.nat(der.length - 1), fc.nat(255));
  fc.assert(
    fc.property(
      fc.array(change, { minLength: 1, maxLength: 6 }),
      fc.nat(der.length),
      (changes, cut) => {
        const changed = Buffer.from(der);
        for (const [at, byte] of changes) changed[at] = byte;
        parseCertificate(changed);
        parseCertificate(changed.subarray(0, cut));
      },
    ),
    { numRuns: 1000 },
  );
});
