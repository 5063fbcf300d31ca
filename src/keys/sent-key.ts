import { X509Certificate } from 'node:crypto';
import { loadAddon } from '../binding/addon.js';
import type { TrustedKey } from '../ima/keyring/keyring.js';
import { type LoadPublicKey, trustedKey } from './trusted-key.js';

/** What of a trusted key can be sent to a worker thread. */
export type SentKey = Pick<TrustedKey, 'keyId' | 'description' | 'certificate'>;

export const loadPublicKey: LoadPublicKey = (spki) => loadAddon().publicKey(spki);

/** The same key, of use in this thread. */
export function receivedKey({ keyId, description, certificate }: SentKey): TrustedKey {
  const { publicKey } = new X509Certificate(certificate);
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const sent = { keyId, description, der: certificate, key: { spki } };
  return trustedKey(sent, loadPublicKey);
}
