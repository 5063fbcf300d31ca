import type { Certificate } from '../keys/certificate.js';

/** What `imafs key` shows of a certificate; a key id as evmctl and keyctl write it. */
export type KeyFacts = {
  readonly keyId: string | null;
  readonly description: string;
  readonly algorithm: string;
  readonly validTo: string;
};

export function keyFields({ keyId, description, key, validTo }: Certificate): KeyFacts {
  return {
    keyId: keyId === undefined ? null : keyId.toString(16).padStart(8, '0'),
    description,
    algorithm: key.name,
    validTo: validTo.toISOString(),
  };
}
