import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { errnoOf } from '../base/errno.js';
import { certificatesIn } from '../keys/certificates-in.js';
import { publicKeyId } from '../keys/public-key-id.js';
import type { GivenOptions } from './command.js';
import { EXIT } from './exit-codes.js';
import { UserError } from './user-error.js';

export interface SigningKey {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** What signatures name it by. */
  readonly keyId: number;
}

/** x509_extract_key_data (x509_cert_parser.c), by OpenSSL's names. */
const CURVES: readonly (string | undefined)[] = [
  'prime192v1',
  'prime256v1',
  'secp384r1',
  'secp521r1',
];

/** In DER nothing says which form a key has. */
const DER_TYPES = ['pkcs8', 'pkcs1', 'sec1'] as const;

/** The key that --key, --passphrase-file, --cert and --keyid name. Throws a UserError, `bad-key` mostly. */
export function signingKey(options: GivenOptions): SigningKey {
  const file = options.text('key');
  if (file === undefined) {
    throw new UserError(EXIT.usage, 'bad-option', '--key FILE is needed: who is to sign?');
  }
  if (file.startsWith('pkcs11:')) {
    throw badKey(file, 'node:crypto cannot use the keys of a token', [
      `evmctl ima_sign --engine pkcs11 --key '${file}' PATH (imafs takes its signatures)`,
    ]);
  }
  const content = readKeyFile(file);
  const privateKey = parseKey(file, content, passphrase(options));
  demandUsable(file, privateKey);
  const publicKey = createPublicKey(privateKey);
  return { privateKey, publicKey, keyId: keyIdOf(options, content, publicKey) };
}

function parseKey(file: string, content: Buffer, words: Buffer | undefined): KeyObject {
  const isPem = content.includes('-----BEGIN ');
  let isEncrypted = isPem && content.includes('ENCRYPTED');
  const secret = words === undefined ? {} : { passphrase: words };
  if (isPem) {
    const key = attempt(() => createPrivateKey({ key: content, ...secret }));
    if (key.key !== undefined) return key.key;
  } else {
    for (const type of DER_TYPES) {
      const key = attempt(() => createPrivateKey({ key: content, format: 'der', type, ...secret }));
      if (key.key !== undefined) return key.key;
      isEncrypted ||= key.wantsPassphrase;
    }
  }
  if (!isEncrypted) throw badKey(file, 'holds no private key in PEM or DER');
  throw words === undefined
    ? badKey(file, 'is encrypted', ['--passphrase-file FILE'])
    : badKey(file, 'cannot be decrypted: the passphrase is wrong');
}

interface Attempt {
  readonly key?: KeyObject;
  readonly wantsPassphrase: boolean;
}

/** OpenSSL's errors are of no use to anybody but for what they say of a passphrase. */
function attempt(parse: () => KeyObject): Attempt {
  try {
    return { key: parse(), wantsPassphrase: false };
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    return { wantsPassphrase: /PASSPHRASE|DECRYPT|CANCELLED/i.test(`${code} ${message}`) };
  }
}

function demandUsable(file: string, { asymmetricKeyType, asymmetricKeyDetails }: KeyObject): void {
  if (asymmetricKeyType === 'rsa') return;
  const curve = asymmetricKeyDetails?.namedCurve;
  if (asymmetricKeyType === 'ec' && CURVES.includes(curve)) return;
  const name = curve === undefined ? asymmetricKeyType : `${asymmetricKeyType} ${curve}`;
  throw badKey(file, `is a key (${name}) with which the kernel verifies nothing`, [
    'take an RSA key, or one on P-256, P-384 or P-521',
  ]);
}

/** Without the newline of an editor; a file is no place that ps(1) shows. */
function passphrase(options: GivenOptions): Buffer | undefined {
  const file = options.text('passphrase-file');
  if (file === undefined) return undefined;
  const content = readKeyFile(file);
  const end = content.indexOf('\n');
  return end < 0 ? content : content.subarray(0, end);
}

/** As evmctl does: as told, or by the key's certificate, which may stand in its file, or by its bits. */
function keyIdOf(options: GivenOptions, content: Buffer, publicKey: KeyObject): number {
  const given = options.text('keyid');
  const certificate = options.text('cert');
  if (given !== undefined) {
    if (certificate === undefined && /^(0x)?[\da-f]{1,8}$/i.test(given)) {
      return Number.parseInt(given, 16);
    }
    const message =
      certificate === undefined
        ? `--keyid takes up to eight digits in hex, not '${given}'`
        : 'of --cert and --keyid only one can be given';
    throw new UserError(EXIT.usage, 'bad-option', message);
  }
  if (certificate !== undefined) return keyIdOfCertificate(certificate, publicKey);
  const beside = certificatesIn(content);
  const own = beside.ok
    ? beside.value.find(({ x509 }) => publicKey.equals(x509.publicKey))
    : undefined;
  return own?.keyId ?? publicKeyId(publicKey.export({ type: 'spki', format: 'der' }));
}

function keyIdOfCertificate(file: string, publicKey: KeyObject): number {
  const certificates = certificatesIn(readKeyFile(file));
  if (!certificates.ok) throw badKey(file, certificates.problem);
  const own = certificates.value.find(({ x509 }) => publicKey.equals(x509.publicKey));
  if (own === undefined) throw badKey(file, 'is a certificate of another key');
  if (own.keyId === undefined) {
    throw badKey(file, 'has no subject key identifier', [
      'make it with the extension subjectKeyIdentifier=hash, or say --keyid HEX',
    ]);
  }
  return own.keyId;
}

function readKeyFile(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw badKey(file, `cannot be read: ${errnoOf(error) ?? String(error)}`);
  }
}

function badKey(file: string, problem: string, hints: readonly string[] = []): UserError {
  return new UserError(EXIT.key, 'bad-key', `${file} ${problem}`, hints);
}
