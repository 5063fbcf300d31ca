import type { BlacklistKind } from '../ima/keyring/keyring.js';
import type { Certificate } from './certificate.js';

/** Why a certificate may not enter `.ima`, with the errno of add_key(2), and the way out. */
export interface Objection {
  readonly errno: 'ENOKEY' | 'EKEYREJECTED' | 'ENOPKG';
  /** Sentences without a full stop, as errors have them. */
  readonly reason: string;
  readonly remedy: string;
}

/** Who may vouch for keys. */
export interface Trust {
  /** CAs of the system keyring. None: whoever may write a keyring may add any key, as to the kernel's _ima. */
  readonly authorities: readonly Certificate[];
  readonly isBlacklisted: (kind: BlacklistKind, digest: Uint8Array) => boolean;
}

/**
 * All that stands against a certificate, in the order in which the kernel looks; nothing: it is admitted.
 * Dates are not looked at, as by the kernel (noteOf).
 */
export function objectionsTo(certificate: Certificate, trust: Trust): Objection[] {
  const own = objectionsToKey(certificate, trust);
  return trust.authorities.length === 0
    ? own
    : [...own, ...objectionsToUsage(certificate), ...objectionsToIssuer(certificate, trust)];
}

/** What x509_key_preparse refuses, for whatever keyring, and a key that nothing could name. */
export function objectionsToKey(certificate: Certificate, { isBlacklisted }: Trust): Objection[] {
  const { key, signatureAlgorithm, tbsDigest, keyId } = certificate;
  const objections: Objection[] = [];
  if (!key.isSupported) {
    objections.push({
      errno: 'ENOPKG',
      reason: `its key is ${key.name}, with which the kernel verifies nothing`,
      remedy: 'make an RSA key of 2048 to 4096 bits, or one on P-256, P-384 or P-521',
    });
  }
  if (signatureAlgorithm === undefined) {
    objections.push({
      errno: 'ENOPKG',
      reason: 'it is signed by a method that the kernel does not have',
      remedy: 'sign it by RSA (PKCS#1 v1.5) or ECDSA, with SHA-256 or better',
    });
  }
  if (
    objections.length === 0 &&
    isSelfIssued(certificate) &&
    !isSignedBy(certificate, certificate)
  ) {
    objections.push({
      errno: 'EKEYREJECTED',
      reason: 'it is self-signed, and its signature does not verify',
      remedy: 'the certificate was changed after it was made: get it anew',
    });
  }
  if (tbsDigest !== undefined && isBlacklisted('tbs', tbsDigest)) {
    const hex = Buffer.from(tbsDigest).toString('hex');
    objections.push({
      errno: 'EKEYREJECTED',
      reason: `it is blacklisted: tbs:${hex}`,
      remedy: 'make a new key; an entry of the blacklist stays',
    });
  }
  if (keyId === undefined) {
    objections.push({
      errno: 'ENOKEY',
      reason: 'it has no subject key identifier, so no signature could name its key',
      remedy: 'make it with the extension subjectKeyIdentifier=hash',
    });
  }
  return objections;
}

/** restrict_link_by_digsig (crypto/asymmetric_keys/restrict.c), what `.ima` is restricted by since 6.5. */
function objectionsToUsage({ keyUsage, isAuthority }: Certificate): Objection[] {
  const remedy = 'make it with basicConstraints=CA:FALSE and keyUsage=digitalSignature';
  const objections: Objection[] = [];
  if (keyUsage?.digitalSignature !== true) {
    const reason =
      keyUsage === undefined
        ? 'it does not say what its key is for (keyUsage)'
        : 'its key is not for signatures (keyUsage without digitalSignature)';
    objections.push({ errno: 'ENOKEY', reason, remedy });
  }
  if (isAuthority || keyUsage?.keyCertSign === true) {
    const reason = 'it is a CA, which may vouch for keys, and not for files';
    objections.push({ errno: 'ENOKEY', reason, remedy });
  }
  return objections;
}

/** restrict_link_by_signature (the same file) */
function objectionsToIssuer(certificate: Certificate, { authorities }: Trust): Objection[] {
  const issuers = authorities.filter((authority) => isNamedBy(authority, certificate));
  const [issuer] = issuers;
  if (issuer === undefined) {
    return [
      {
        errno: 'ENOKEY',
        reason: 'no CA of the system keyring issued it',
        remedy: `have it signed by one of: ${authorities.map(({ description }) => description).join('; ')}`,
      },
    ];
  }
  if (issuers.some((one) => isSignedBy(certificate, one))) {
    return [];
  }
  return [
    {
      errno: 'EKEYREJECTED',
      reason: `it names ${issuer.description} as its issuer, whose key did not sign it`,
      remedy: 'have it signed by the CA that it names, or put the right CA into keys=DIR',
    },
  ];
}

/** find_asymmetric_key (asymmetric_type.c): by what the authority key id says, else by name. */
function isNamedBy(authority: Certificate, { authorityKeyId, issuer }: Certificate): boolean {
  const { keyId, issuerAndSerial } = authorityKeyId ?? {};
  if (keyId === undefined && issuerAndSerial === undefined) {
    return isSame(authority.subject, issuer);
  }
  const isSameKey = keyId === undefined || isSame(authority.subjectKeyId, keyId);
  const isSameCertificate =
    issuerAndSerial === undefined ||
    (isSame(authority.issuer, issuerAndSerial.issuer) &&
      isSame(authority.serial, issuerAndSerial.serial));
  return isSameKey && isSameCertificate;
}

/** x509_check_for_self_signed: names alone, where the authority key id does not say otherwise. */
function isSelfIssued(certificate: Certificate): boolean {
  return isSame(certificate.subject, certificate.issuer) && isNamedBy(certificate, certificate);
}

function isSignedBy({ x509 }: Certificate, issuer: Certificate): boolean {
  try {
    return issuer.key.isSupported && x509.verify(issuer.x509.publicKey);
  } catch {
    // A key of another kind than the signature's.
    return false;
  }
}

function isSame(one: Uint8Array | undefined, other: Uint8Array): boolean {
  return one !== undefined && Buffer.compare(one, other) === 0;
}

/** What a user should know of a certificate that is admitted nevertheless. */
export function noteOf({ validFrom, validTo }: Certificate, now: Date): string | undefined {
  if (now < validFrom) {
    return `it is valid from ${day(validFrom)} on only; like the kernel, imafs does not look at dates`;
  }
  return now > validTo
    ? `it expired on ${day(validTo)}; like the kernel, imafs does not look at dates`
    : undefined;
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}
