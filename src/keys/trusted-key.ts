import { opensslDigestName } from '../binding/hash-algorithms.js';
import type { TrustedKey } from '../ima/keyring/keyring.js';
import type { Certificate, PublicKeyFacts } from './certificate.js';

/** Port: a key of native/ (Addon.publicKey); throws if it is none that can be used. */
export type LoadPublicKey = (spki: Uint8Array) => {
  verify(opensslDigestName: string, digest: Uint8Array, signature: Uint8Array): boolean;
};

/** What is used of a certificate. */
export type KeyCertificate = Pick<Certificate, 'keyId' | 'description' | 'der'> & {
  readonly key: Pick<PublicKeyFacts, 'spki'>;
};

/** The key of a certificate that was admitted (admit.ts), which has a key id and a key of a known kind. */
export function trustedKey(certificate: KeyCertificate, loadPublicKey: LoadPublicKey): TrustedKey {
  const { keyId, description, der, key } = certificate;
  if (keyId === undefined || key.spki === undefined) {
    throw new TypeError(`${description}: no certificate of a key that could be trusted`);
  }
  const publicKey = loadPublicKey(key.spki);
  return {
    keyId,
    description,
    certificate: der,
    verify: ({ algorithm, bytes }, signature) => {
      const digestName = opensslDigestName(algorithm);
      return digestName !== undefined && publicKey.verify(digestName, bytes, signature);
    },
  };
}
