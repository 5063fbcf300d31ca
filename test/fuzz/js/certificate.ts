/** What `keys=DIR` and `keys/` are given: certificates in DER and PEM, and lists of what is blacklisted. */
import assert from 'node:assert/strict';
import { rootCertificates } from 'node:tls';
import { parseBlacklist } from '../../../src/keys/blacklist-file.js';
import { type Certificate, parseCertificate } from '../../../src/keys/certificate.js';
import { certificatesIn } from '../../../src/keys/certificates-in.js';
import { certificate } from '../../golden/ima/signatures.js';
import { isOneOf } from './linear-time.js';
import { readBetween } from './surroundings.js';

export const code = ['src/keys', 'node_modules/asn1js', 'node_modules/pkijs'];

export const longest = 1536;

/** Those that came with Node are of many makers; some of them will do. */
export function seeds(): readonly (Uint8Array | string)[] {
  const some = rootCertificates.filter((_, index) => index % 8 === 0);
  const roots = some.map((pem) => Buffer.from(pem.replace(/-----.*-----/g, ''), 'base64'));
  return [certificate, ...roots, pemOf(certificate), `bin:${'ab'.repeat(32)}\n# all\ntbs:00\n`];
}

export function check(input: Uint8Array): void {
  const parsed = readBetween(input, (der) => {
    const { ok, ...rest } = parseCertificate(der);
    // OpenSSL's own object cannot be compared.
    return ok
      ? { ...rest, value: { ...(rest as { value: Certificate }).value, x509: null } }
      : rest;
  });
  readBetween(input, (text) => parseBlacklist(Buffer.from(text).toString()));
  if (isOneOf(8, input)) {
    const again = certificatesIn(Buffer.from(pemOf(input)));
    assert.equal(again.ok, 'value' in parsed);
  }
  if ('value' in parsed) checkFacts(input, parsed.value);
}

type Facts = Omit<Certificate, 'x509'>;

/** All of it stands in the certificate. */
function checkFacts(input: Uint8Array, facts: Facts): void {
  const { der, issuer, subject, serial, subjectKeyId, authorityKeyId, description, keyId } = facts;
  assert.equal(Buffer.compare(der, input), 0);
  for (const part of [issuer, subject, serial, subjectKeyId, authorityKeyId?.keyId]) {
    assert.ok(part === undefined || Buffer.from(input).includes(Buffer.from(part)));
  }
  assert.doesNotMatch(description, /\p{Cc}/u);
  assert.equal(keyId === undefined, subjectKeyId === undefined || subjectKeyId.length === 0);
  assert.ok(keyId === undefined || (keyId >= 0 && keyId <= 0xffffffff));
  assert.ok(facts.validFrom.getTime() <= Infinity && facts.validTo.getTime() <= Infinity);
}

function pemOf(der: Uint8Array): string {
  const base64 = Buffer.from(der).toString('base64');
  return `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`;
}
