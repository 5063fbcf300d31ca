import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boundAsn1 } from '../../../src/keys/bound-asn1.js';
import { parseCertificate } from '../../../src/keys/certificate.js';
import { PKCS7_BYTES_MAX, parsePkcs7 } from '../../../src/keys/pkcs7.js';

/** A value of ASN.1 with a length in four bytes. */
const value = (tag: number, content: Uint8Array): Buffer => {
  const header = Buffer.from([tag, 0x84, 0, 0, 0, 0]);
  header.writeUInt32BE(content.length, 2);
  return Buffer.concat([header, content]);
};

const SEQUENCE = 0x30;
const OCTET_STRING = 0x04;
const BIT_STRING = 0x03;

const longIdentifier = value(0x06, Buffer.alloc(60_000, 0x01));

for (const [where, bytes] of [
  ['by itself', longIdentifier],
  ['in a sequence', value(SEQUENCE, longIdentifier)],
  ['in an octet string', value(SEQUENCE, value(OCTET_STRING, longIdentifier))],
  ['in a bit string', value(BIT_STRING, Buffer.concat([Buffer.of(0), longIdentifier]))],
  [
    'before what is malformed',
    value(OCTET_STRING, Buffer.concat([longIdentifier, Buffer.of(0x30)])),
  ],
] as const) {
  test(`an identifier of 60,000 bytes ${where} is refused before anything is parsed`, () => {
    assert.throws(() => boundAsn1(bytes), /identifier is too long/);
    assert.equal(parsePkcs7(bytes).ok, false);
    assert.equal(parseCertificate(bytes).ok, false);
  });
}

test('so are strings that no name has, many values, and deep ones', () => {
  assert.throws(() => boundAsn1(value(0x1e, Buffer.alloc(10_000))), /string is too long/);
  const many = Buffer.concat(Array.from({ length: 3000 }, () => Buffer.of(0x05, 0)));
  assert.throws(() => boundAsn1(value(SEQUENCE, many)), /too many values/);
  let deep: Buffer = Buffer.of(0x05, 0);
  for (let depth = 0; depth < 60; depth += 1) deep = value(SEQUENCE, deep);
  assert.throws(() => boundAsn1(deep), /too deep/);
});

test('what is merely malformed, or long and plain, is let through to the parser', () => {
  boundAsn1(Buffer.of(0x30, 0x84));
  boundAsn1(Buffer.of(0x06));
  boundAsn1(value(0x02, Buffer.alloc(PKCS7_BYTES_MAX, 1)));
});
