import type { Digest } from '../ports.js';

/** A public key that may vouch for files, from a certificate that was admitted. Made outside src/ima. */
export interface TrustedKey {
  /** The last four bytes of the subject key identifier, as signature headers name it. */
  readonly keyId: number;
  /** As the kernel names an asymmetric key: `Organisation: Common name: SKID in hex`. */
  readonly description: string;
  /** X.509 in DER: what KEY_CHECK measures. */
  readonly certificate: Uint8Array;
  /**
   * Whether `signature` (RSA PKCS#1 v1.5, or ECDSA in DER) was made over this digest. Takes any bytes;
   * false too for an algorithm that nobody here has.
   */
  verify(digest: Digest, signature: Uint8Array): boolean;
}

/** What an entry of the kernel's .blacklist keyring is about: a file's digest, or a certificate's. */
export type BlacklistKind = 'bin' | 'tbs';

/** The keyrings .ima and .blacklist of one namespace. */
export class Keyring {
  readonly #keys = new Map<number, TrustedKey>();
  readonly #blacklist = new Set<string>();

  constructor(
    /** The system's: what it blacklists counts here too. */
    private readonly above?: Keyring,
  ) {}

  /** False if the very certificate is in it already; of two keys of one id the later one counts. */
  add(key: TrustedKey): boolean {
    const known = this.#keys.get(key.keyId);
    if (known && Buffer.compare(known.certificate, key.certificate) === 0) {
      return false;
    }
    this.#keys.set(key.keyId, key);
    return true;
  }

  /** request_asymmetric_key (digsig_asymmetric.c): `id:` and the last four bytes. */
  find(keyId: number): TrustedKey | undefined {
    return this.#keys.get(keyId);
  }

  keys(): readonly TrustedKey[] {
    return [...this.#keys.values()];
  }

  /** mark_hash_blacklisted: `bin:HEX` or `tbs:HEX`. False if it is there already. */
  addToBlacklist(kind: BlacklistKind, digest: Uint8Array): boolean {
    const entry = describe(kind, digest);
    const isNew = !this.#blacklist.has(entry);
    this.#blacklist.add(entry);
    return isNew;
  }

  /** is_hash_blacklisted (certs/blacklist.c) */
  isBlacklisted(kind: BlacklistKind, digest: Uint8Array): boolean {
    return (
      this.#blacklist.has(describe(kind, digest)) ||
      this.above?.isBlacklisted(kind, digest) === true
    );
  }

  /** Its own entries as the kernel describes them. */
  blacklist(): readonly string[] {
    return [...this.#blacklist];
  }
}

function describe(kind: BlacklistKind, digest: Uint8Array): string {
  return `${kind}:${Buffer.from(digest).toString('hex')}`;
}
