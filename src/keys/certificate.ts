import { X509Certificate } from 'node:crypto';
import * as pkijs from 'pkijs';
import { failure, type Result, success } from '../base/result.js';
import { createHasher } from '../binding/hash-algorithms.js';
import {
  type AuthorityKeyId,
  authorityKeyIdOf,
  bytesOf,
  extensionsOf,
  isAuthority,
  type KeyUsage,
  keyUsageOf,
  subjectKeyIdOf,
} from './certificate-extensions.js';
import { keyDescription } from './key-description.js';
import { readAsn1 } from './read-asn1.js';
import { type SignatureAlgorithm, signatureAlgorithmOf } from './signature-algorithm.js';

/** What the kernel looks at in an X.509 certificate (struct x509_certificate, x509_parser.h). */
export interface Certificate {
  readonly der: Uint8Array;
  /** As the kernel names the key: `Organisation: Common name: SKID in hex`. */
  readonly description: string;
  /** Distinguished names as they stand in it. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly serial: Uint8Array;
  /** Undefined: no signature could name the key. */
  readonly subjectKeyId: Uint8Array | undefined;
  readonly authorityKeyId: AuthorityKeyId | undefined;
  /** The last four bytes of the subject key id, as headers of signatures have them. */
  readonly keyId: number | undefined;
  /** basicConstraints CA:TRUE */
  readonly isAuthority: boolean;
  /** Undefined where the certificate does not say. */
  readonly keyUsage: KeyUsage | undefined;
  readonly key: PublicKeyFacts;
  /** By whose method it is signed; undefined if the kernel has no such method. */
  readonly signatureAlgorithm: SignatureAlgorithm | undefined;
  /** Its to-be-signed part, hashed as for its signature: what .blacklist names it by. */
  readonly tbsDigest: Uint8Array | undefined;
  readonly validFrom: Date;
  readonly validTo: Date;
  /** For signatures of certificates, which OpenSSL checks. */
  readonly x509: X509Certificate;
}

export interface PublicKeyFacts {
  /** `RSA 2048`, `EC prime256v1`, or what OpenSSL calls it */
  readonly name: string;
  readonly kind: 'rsa' | 'ec' | undefined;
  /** The kernel can verify signatures by such a key. */
  readonly isSupported: boolean;
  /** SubjectPublicKeyInfo in DER; undefined if OpenSSL cannot read it. */
  readonly spki: Uint8Array | undefined;
}

/** add_key(2) takes a megabyte; certificates have some kilobytes. */
export const CERTIFICATE_BYTES_MAX = 16 * 1024;

/** RSA keys that crypto/rsa.c takes (rsa_check_key_length). */
const RSA_BITS: readonly (number | undefined)[] = [512, 1024, 1536, 2048, 3072, 4096];

/** x509_extract_key_data (x509_cert_parser.c), by OpenSSL's names: P-192, P-256, P-384, P-521. */
const CURVES: readonly (string | undefined)[] = [
  'prime192v1',
  'prime256v1',
  'secp384r1',
  'secp521r1',
];

/** One certificate in DER, nothing before or after it. The problem is a sentence. */
export function parseCertificate(der: Uint8Array): Result<Certificate, string> {
  if (der.length > CERTIFICATE_BYTES_MAX) {
    return failure(`longer than ${CERTIFICATE_BYTES_MAX} bytes`);
  }
  try {
    return readCertificate(Buffer.from(der));
  } catch (error) {
    // Both parsers throw for whatever they do not understand, and input is anybody's.
    return failure((error as Error).message);
  }
}

function readCertificate(der: Buffer): Result<Certificate, string> {
  const asn1 = readAsn1(der);
  const x509 = new X509Certificate(der);
  if (Buffer.compare(x509.raw, der) !== 0) {
    return failure('it is not in DER');
  }
  const parsed = new pkijs.Certificate({ schema: asn1 });
  const extensions = extensionsOf(parsed);
  if (!extensions.ok) {
    return extensions;
  }
  const serial = bytesOf(parsed.serialNumber);
  const subjectKeyId = subjectKeyIdOf(extensions.value);
  const signatureAlgorithm = signatureAlgorithmOf(parsed.signatureAlgorithm.algorithmId);
  return success({
    der,
    x509,
    serial,
    subjectKeyId,
    signatureAlgorithm,
    description: keyDescription(parsed.subject, subjectKeyId ?? serial),
    issuer: new Uint8Array(parsed.issuer.valueBeforeDecode),
    subject: new Uint8Array(parsed.subject.valueBeforeDecode),
    authorityKeyId: authorityKeyIdOf(extensions.value),
    keyId: subjectKeyId && keyIdOf(subjectKeyId),
    isAuthority: isAuthority(extensions.value),
    keyUsage: keyUsageOf(extensions.value),
    key: publicKeyFacts(x509),
    tbsDigest: signatureAlgorithm && hash(signatureAlgorithm.hash, parsed.tbsView),
    validFrom: parsed.notBefore.value,
    validTo: parsed.notAfter.value,
  });
}

/** A shorter identifier counts from its end too. */
function keyIdOf(subjectKeyId: Uint8Array): number | undefined {
  return subjectKeyId.length === 0
    ? undefined
    : Number.parseInt(Buffer.from(subjectKeyId.subarray(-4)).toString('hex'), 16);
}

function hash(algorithm: string, bytes: Uint8Array): Uint8Array | undefined {
  const hasher = createHasher(algorithm);
  hasher?.update(bytes);
  return hasher?.digest();
}

function publicKeyFacts(x509: X509Certificate): PublicKeyFacts {
  try {
    const { publicKey } = x509;
    const { asymmetricKeyType: type = 'unknown', asymmetricKeyDetails } = publicKey;
    const { modulusLength, namedCurve } = asymmetricKeyDetails ?? {};
    const spki = publicKey.export({ type: 'spki', format: 'der' });
    switch (type) {
      case 'rsa': {
        const isSupported = RSA_BITS.includes(modulusLength);
        return { name: `RSA ${modulusLength}`, kind: 'rsa', isSupported, spki };
      }
      case 'ec':
        return {
          name: `EC ${namedCurve}`,
          kind: 'ec',
          isSupported: CURVES.includes(namedCurve),
          spki,
        };
      default:
        return { name: type, kind: undefined, isSupported: false, spki };
    }
  } catch {
    // OpenSSL does not know the algorithm, so neither can it verify.
    return { name: 'unknown', kind: undefined, isSupported: false, spki: undefined };
  }
}
