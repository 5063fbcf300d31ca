/**
 * Makes the keys of the cases and all that they sign, and forgets the private ones: run it when a case
 * needs a signature that is not there, then ask the kernel again.
 *
 * usage: node dist/test/parity/keys/make-keys.js
 */
import { execFileSync } from 'node:child_process';
import { createHash, createPrivateKey, sign, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ALGORITHM_IDS, PROGRAM, TEXT } from '../content.js';
import { KEYS, type Signed } from '../signatures.js';

const KINDS = {
  rsa2048: ['-newkey', 'rsa:2048'],
  rsa4096: ['-newkey', 'rsa:4096'],
  p256: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'],
  p384: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:secp384r1'],
  /** Its certificate is in no keyring. */
  stranger: ['-newkey', 'rsa:2048'],
} as const;

const ALGORITHMS = ['sha1', 'sha256', 'sha384', 'sha512'] as const;
const CONTENTS = { text: TEXT, program: PROGRAM, empty: '', new: 'new' };

/** Those that sign more than the text. */
const SIGN_MORE = ['rsa2048', 'p256'];

const directory = mkdtempSync(join(tmpdir(), 'imafs-keys-'));
const signed: Signed[] = [];
for (const [key, kind] of Object.entries(KINDS)) {
  const [pem, certificate] = [join(directory, 'key.pem'), join(directory, 'certificate.der')];
  const usage = [
    '-addext',
    'keyUsage=digitalSignature',
    '-addext',
    'basicConstraints=critical,CA:FALSE',
  ];
  const name = ['-subj', `/O=imafs parity/CN=${key}`, '-days', '36500', '-sha256'];
  const out = ['-nodes', '-keyout', pem, '-outform', 'DER', '-out', certificate];
  execFileSync('openssl', ['req', '-x509', ...kind, ...name, ...usage, ...out], {
    stdio: 'ignore',
  });
  if (key !== 'stranger') writeFileSync(join(KEYS, `${key}.der`), readFileSync(certificate));
  const keyId = keyIdOf(readFileSync(certificate));
  const privateKey = createPrivateKey(readFileSync(pem));
  for (const algorithm of ALGORITHMS) {
    for (const [content, bytes] of Object.entries(CONTENTS)) {
      if (content !== 'text' && (algorithm !== 'sha256' || !SIGN_MORE.includes(key))) continue;
      for (const version of [2, 3] as const) {
        const message = version === 2 ? Buffer.from(bytes) : fileId(algorithm, bytes);
        const signature = sign(algorithm, message, privateKey);
        const header = Buffer.concat([
          Buffer.from([3, version, ALGORITHM_IDS[algorithm]]),
          keyId,
          Buffer.from([signature.length >> 8, signature.length & 0xff]),
        ]);
        const xattr = Buffer.concat([header, signature]).toString('hex');
        signed.push({ key, algorithm, content, version, xattr });
      }
    }
  }
}
rmSync(directory, { recursive: true });
const lines = signed.map((it) => JSON.stringify(it)).join('\n');
writeFileSync(join(KEYS, 'signatures.jsonl'), `${lines}\n`);

/** The last four bytes of the subject key identifier, as openssl(1) prints it. */
function keyIdOf(certificate: Buffer): Buffer {
  const pem = new X509Certificate(certificate).toString();
  const words = ['x509', '-noout', '-ext', 'subjectKeyIdentifier'];
  const shown = execFileSync('openssl', words, { input: pem, encoding: 'utf8' });
  const hex = /((?:[0-9A-F]{2}:)+[0-9A-F]{2})/.exec(shown)?.[1] ?? '';
  return Buffer.from(hex.replaceAll(':', ''), 'hex').subarray(-4);
}

/** What a signature of version 3 is made over: struct ima_file_id (security/integrity/integrity.h). */
function fileId(algorithm: (typeof ALGORITHMS)[number], content: string | Uint8Array): Buffer {
  const digest = createHash(algorithm).update(content).digest();
  return Buffer.concat([Buffer.from([3, ALGORITHM_IDS[algorithm]]), digest]);
}
