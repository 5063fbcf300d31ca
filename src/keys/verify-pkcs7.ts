import { createHasher } from '../binding/hash-algorithms.js';
import type { Keyring, TrustedKey } from '../ima/keyring/keyring.js';
import { type Certificate, parseCertificate } from './certificate.js';
import type { Pkcs7, Pkcs7Signer } from './pkcs7.js';

/**
 * pkcs7_verify and pkcs7_validate_trust: keys of the keyring vouch for the content with this digest, by the
 * message's algorithm. At least one signer must be known, and of each known one the signature must be
 * right. Certificates in the message name no further keys: only those in the keyring are trusted.
 */
export function verifyPkcs7(
  { digestAlgorithm, signers, certificates }: Pkcs7,
  contentDigest: Uint8Array,
  keyring: Keyring,
): boolean {
  if (certificates.some((der) => isBlacklisted(der, keyring))) {
    return false;
  }
  let isTrusted = false;
  for (const signer of signers) {
    const key = keyring.keys().find((one) => isNamedBy(one, signer));
    if (key === undefined) {
      continue;
    }
    // The content was hashed once, by one algorithm.
    if (signer.digestAlgorithm !== digestAlgorithm || !verifySigner(signer, contentDigest, key)) {
      return false;
    }
    isTrusted = true;
  }
  return isTrusted;
}

/**
 * pkcs7_verify for VERIFYING_MODULE_SIGNATURE, which appended signatures are verified as: plain data, and no
 * signed attributes.
 */
export function isModuleSignature({ isOfData, signers }: Pkcs7): boolean {
  return isOfData && signers.every(({ signedAttributes }) => signedAttributes === undefined);
}

/** pkcs7_digest, and the signature of what it gives. */
function verifySigner(signer: Pkcs7Signer, contentDigest: Uint8Array, key: TrustedKey): boolean {
  const { signedAttributes, signature, digestAlgorithm: algorithm } = signer;
  if (signer.signatureAlgorithm !== certificateOf(key)?.key.kind) {
    return false;
  }
  if (signedAttributes === undefined) {
    return key.verify({ algorithm, bytes: contentDigest }, signature);
  }
  if (Buffer.compare(signedAttributes.messageDigest, contentDigest) !== 0) {
    return false;
  }
  const hasher = createHasher(algorithm);
  hasher?.update(signedAttributes.der);
  const bytes = hasher?.digest();
  return bytes !== undefined && key.verify({ algorithm, bytes }, signature);
}

/** find_asymmetric_key: by the signer's issuer and serial number, or by the key id. */
function isNamedBy(key: TrustedKey, { id }: Pkcs7Signer): boolean {
  const certificate = certificateOf(key);
  if (certificate === undefined) {
    return false;
  }
  const { issuer, serial, subjectKeyId } = certificate;
  return id.kind === 'skid'
    ? subjectKeyId !== undefined && Buffer.compare(subjectKeyId, id.skid) === 0
    : Buffer.compare(issuer, id.issuer) === 0 && Buffer.compare(serial, id.serial) === 0;
}

/** pkcs7_verify_sig_chain: a message that a blacklisted certificate comes with is refused. */
function isBlacklisted(der: Uint8Array, keyring: Keyring): boolean {
  const parsed = parseCertificate(der);
  const digest = parsed.ok ? parsed.value.tbsDigest : undefined;
  return digest !== undefined && keyring.isBlacklisted('tbs', digest);
}

const parsedCertificates = new WeakMap<TrustedKey, Certificate>();

/** What a key's certificate says, parsed once. */
function certificateOf(key: TrustedKey): Certificate | undefined {
  const known = parsedCertificates.get(key);
  const parsed = known === undefined ? parseCertificate(key.certificate) : undefined;
  if (parsed?.ok === true) {
    parsedCertificates.set(key, parsed.value);
  }
  return parsedCertificates.get(key);
}
