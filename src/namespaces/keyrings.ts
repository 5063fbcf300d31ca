/**
 * Keyrings of namespaces, as written to their control files. Results are errno names, those of
 * add_key(2); undefined is success. Why a certificate was refused is kept for `status`.
 */
import type { ErrnoName } from '../base/errno.js';
import type { Result } from '../base/result.js';
import type { Caller } from '../binding/addon-types.js';
import { changeIma } from '../ima/ima.js';
import type { BlacklistKind, Keyring, TrustedKey } from '../ima/keyring/keyring.js';
import { LIMITS, type Namespace } from './namespace.js';

/** Why the latest certificate was refused. */
export interface KeyRefusal {
  readonly errno: ErrnoName;
  /** Undefined: it is no certificate. */
  readonly description: string | undefined;
  readonly reasons: readonly { readonly reason: string; readonly remedy: string }[];
}

export interface KeyringsParts {
  readonly registry: { readonly system: Namespace; known(): Namespace[]; changed(): void };
  /** The key of the one certificate that `content` is, if it may enter this keyring. */
  readonly admit: (content: Uint8Array, keyring: Keyring) => Result<TrustedKey, KeyRefusal>;
  /** An entry of .blacklist, `bin:HEX` or `tbs:HEX`; undefined if it is none. */
  readonly parseBlacklistEntry: (
    line: string,
  ) => { readonly kind: BlacklistKind; readonly digest: Uint8Array } | undefined;
}

export class Keyrings {
  readonly #refusals = new WeakMap<Namespace, KeyRefusal & { readonly time: string }>();

  constructor(private readonly parts: KeyringsParts) {}

  /** A certificate for `.ima`. */
  async add(
    namespace: Namespace,
    content: Uint8Array,
    _caller: Caller,
  ): Promise<ErrnoName | undefined> {
    if (namespace.isDead) return 'EINVAL';
    const { keyring } = namespace.ima;
    const admitted = this.parts.admit(content, keyring);
    if (!admitted.ok) return this.#refuse(namespace, admitted.problem);
    const key = admitted.value;
    const isNew = keyring.find(key.keyId) === undefined;
    if (isNew && !namespace.isSystem && keyring.keys().length >= LIMITS.keys) return 'ENOSPC';
    if (!keyring.add(key)) return undefined;
    changeIma(namespace.ima, {});
    namespace.record('keys', { keyring: '.ima', added: key.description });
    this.parts.registry.changed();
    return undefined;
  }

  /** A line for `.blacklist`. What the system blacklists counts in every namespace. */
  blacklist(namespace: Namespace, line: string): ErrnoName | undefined {
    const entry = this.parts.parseBlacklistEntry(line);
    if (entry === undefined || namespace.isDead) return 'EINVAL';
    const { keyring } = namespace.ima;
    if (!namespace.isSystem && keyring.blacklist().length >= LIMITS.blacklist) return 'ENOSPC';
    if (!keyring.addToBlacklist(entry.kind, entry.digest)) return undefined;
    const { registry } = this.parts;
    const concerned = namespace.isSystem ? registry.known() : [namespace];
    for (const { ima } of concerned) changeIma(ima, {});
    namespace.record('keys', { keyring: '.blacklist', added: line });
    registry.changed();
    return undefined;
  }

  lastRefusal(namespace: Namespace): (KeyRefusal & { readonly time: string }) | undefined {
    return this.#refusals.get(namespace);
  }

  #refuse(namespace: Namespace, refusal: KeyRefusal): ErrnoName {
    this.#refusals.set(namespace, { ...refusal, time: new Date().toISOString() });
    const reason = refusal.reasons[0]?.reason ?? refusal.errno;
    namespace.record('keys', { keyring: '.ima', refused: refusal.description ?? '', reason });
    return refusal.errno;
  }
}
