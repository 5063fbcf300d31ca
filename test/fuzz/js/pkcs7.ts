/** PKCS#7 messages, which whoever may write a file can append to it. */
import assert from 'node:assert/strict';
import { hashAlgorithmByName } from '../../../src/ima/digest/hash-algorithms.js';
import { Keyring } from '../../../src/ima/keyring/keyring.js';
import { type Pkcs7, parsePkcs7 } from '../../../src/keys/pkcs7.js';
import { isModuleSignature, verifyPkcs7 } from '../../../src/keys/verify-pkcs7.js';
import { certificate } from '../../golden/ima/signatures.js';
import { messages } from './pkcs7-messages.js';
import { readBetween } from './surroundings.js';

export const code = ['src/keys', 'node_modules/asn1js', 'node_modules/pkijs'];

export const longest = 1536;

export function seeds(): readonly Uint8Array[] {
  return messages.map((message) => Buffer.from(message, 'base64'));
}

export function check(input: Uint8Array): void {
  const parsed = readBetween(input, parsePkcs7);
  if (!parsed.ok) {
    assert.ok(parsed.problem !== '');
    return;
  }
  const message = parsed.value;
  checkFacts(input, message);
  isModuleSignature(message);
  const { digestBytes } = hashAlgorithmByName(message.digestAlgorithm) ?? { digestBytes: 0 };
  assert.ok(digestBytes > 0);
  for (const keyring of [NOBODY, WRONG]) {
    assert.equal(verifyPkcs7(message, new Uint8Array(digestBytes), keyring), false);
  }
}

const NOBODY = new Keyring();
const WRONG = new Keyring();
WRONG.add({ keyId: 1, description: '', certificate, verify: () => false });

/** All of it stands in the message. */
function checkFacts(input: Uint8Array, { signers, certificates }: Pkcs7): void {
  assert.ok(signers.length > 0);
  const named = signers.flatMap(({ id, signature }) =>
    id.kind === 'skid' ? [id.skid, signature] : [id.issuer, id.serial, signature],
  );
  const digests = signers.flatMap(({ signedAttributes }) => signedAttributes?.messageDigest ?? []);
  for (const part of [...named, ...digests, ...certificates]) {
    assert.ok(Buffer.from(input).includes(Buffer.from(part)), 'a part of it is not in the message');
  }
}
