import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Keyring } from '../../../src/ima/keyring/keyring.js';
import { noteOf, objectionsTo } from '../../../src/keys/admit.js';
import { type Certificate, parseCertificate } from '../../../src/keys/certificate.js';
import { CA, type CertificateOptions, Certificates, LEAF } from '../../helpers/certificates.js';

const made = new Certificates();
after(() => made.remove());

function make(name: string, options: CertificateOptions = {}): Certificate {
  made.make(name, options);
  return read(made.read(`${name}.der`));
}

function read(der: Uint8Array): Certificate {
  const result = parseCertificate(der);
  assert.ok(result.ok, result.ok ? '' : result.problem);
  return result.value;
}

function errnos(
  certificate: Certificate,
  authorities: readonly Certificate[],
  keyring = new Keyring(),
): string[] {
  return objectionsTo(certificate, {
    authorities,
    isBlacklisted: (kind, digest) => keyring.isBlacklisted(kind, digest),
  }).map(({ errno, reason, remedy }) => {
    assert.ok(reason.length > 10 && remedy.length > 10);
    return `${errno} ${reason}`;
  });
}

const ca = make('ca', { extensions: CA });
const leaf = make('leaf', { issuer: 'ca' });

test('a key that a CA issued is admitted, by key id, by issuer and serial, or by name', () => {
  assert.deepEqual(errnos(leaf, [ca]), []);
  const withoutKeyId = LEAF.slice(0, 3);
  for (const authorityKeyId of ['none', 'issuer:always', 'keyid,issuer:always']) {
    const extensions = [...withoutKeyId, `authorityKeyIdentifier=${authorityKeyId}`];
    assert.deepEqual(errnos(make('by', { issuer: 'ca', extensions }), [ca]), [], authorityKeyId);
  }
});

test('without a CA any key will do', () => {
  assert.deepEqual(errnos(make('own'), []), []);
  assert.deepEqual(errnos(ca, []), []);
  assert.deepEqual(errnos(leaf, []), []);
});

test('a stranger is refused', () => {
  const [reason] = errnos(make('stranger'), [ca]);
  assert.equal(reason, 'ENOKEY no CA of the system keyring issued it');
});

test('a CA of the same name and key id, but another key, is found out', () => {
  const skid = Buffer.from(ca.subjectKeyId ?? []).toString('hex');
  const twin = make('twin', {
    subject: '/CN=ca',
    extensions: [...CA.slice(0, 2), `subjectKeyIdentifier=${skid}`],
  });
  const forged = make('forged', { issuer: 'twin' });
  const [reason] = errnos(forged, [ca]);
  assert.match(reason ?? '', /^EKEYREJECTED it names ca: [0-9a-f]{40} as its issuer/);
  assert.deepEqual(errnos(forged, [ca, twin]), []);
});

test('the kernel wants digitalSignature, and neither CA nor keyCertSign', () => {
  const refused: readonly [extensions: readonly string[], reason: RegExp][] = [
    [['keyUsage=keyEncipherment'], /^ENOKEY its key is not for signatures/],
    [[], /^ENOKEY it does not say what its key is for/],
    [['keyUsage=digitalSignature,keyCertSign'], /^ENOKEY it is a CA/],
    [['keyUsage=digitalSignature', 'basicConstraints=CA:TRUE'], /^ENOKEY it is a CA/],
  ];
  for (const [extensions, expected] of refused) {
    const certificate = make('usage', {
      issuer: 'ca',
      extensions: [...extensions, 'subjectKeyIdentifier=hash'],
    });
    const [reason, ...more] = errnos(certificate, [ca]);
    assert.match(reason ?? '', expected);
    assert.deepEqual(more, []);
  }
});

test('a blacklisted certificate is refused in any keyring, also by an entry of the one above', () => {
  const above = new Keyring();
  above.addToBlacklist('tbs', leaf.tbsDigest ?? new Uint8Array());
  for (const authorities of [[], [ca]]) {
    const [reason] = errnos(leaf, authorities, new Keyring(above));
    assert.match(reason ?? '', /^EKEYREJECTED it is blacklisted: tbs:[0-9a-f]{64}$/);
  }
});

test('what could never verify anything is refused in any keyring', () => {
  const curve = make('curve', {
    key: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:secp256k1'],
  });
  assert.match(errnos(curve, [])[0] ?? '', /^ENOPKG its key is EC secp256k1/);
  const nameless = make('nameless', { extensions: ['subjectKeyIdentifier=none'] });
  assert.match(errnos(nameless, [])[0] ?? '', /^ENOKEY it has no subject key identifier/);
});

test('a changed self-signed certificate is refused in any keyring', () => {
  const changed = Buffer.from(ca.der);
  const last = changed.length - 1;
  changed[last] = (changed[last] ?? 0) ^ 1;
  assert.match(errnos(read(changed), [])[0] ?? '', /^EKEYREJECTED it is self-signed/);
});

test('all reasons are told at once', () => {
  const extensions = ['subjectKeyIdentifier=none', 'keyUsage=keyAgreement'];
  const reasons = errnos(make('hopeless', { extensions }), [ca]);
  assert.equal(reasons.length, 3);
});

test('dates are noted, not obeyed', () => {
  assert.equal(noteOf(leaf, new Date()), undefined);
  assert.match(noteOf(leaf, new Date('2099-01-01')) ?? '', /^it expired on 20\d\d-/);
  assert.match(noteOf(leaf, new Date('1999-01-01')) ?? '', /^it is valid from 20\d\d-/);
  const expired = make('expired', { issuer: 'ca', days: -1 });
  assert.deepEqual(errnos(expired, [ca]), []);
});
