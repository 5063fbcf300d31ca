/**
 * Keyrings of namespaces, as written to their control files. Results are errno names, those of
 * add_key(2); undefined is success. Why a certificate was refused is kept for `status`.
 */
import type { ErrnoName } from '../base/errno.js';
import type { Result } from '../base/result.js';
import type { Caller } from '../binding/addon-types.js';
import { changeIma } from '../ima/ima.js';
import type { BlacklistKind, Keyring, TrustedKey } from '../ima/keyring/keyring.js';
import type { MeasuredBuffer } from '../ima/process-buffer-measurement.js';
import type { BufferMeasurements } from './buffer-measurements.js';
import { LIMITS, type Namespace } from './namespace.js';

/** Why the latest certificate was refused. */
export interface KeyRefusal {
  readonly errno: ErrnoName;
  /** Undefined: it is no certificate. */
  readonly description: string | undefined;
  readonly reasons: readonly { readonly reason: string; readonly remedy: string }[];
}

export interface KeyringsParts {
  readonly registry: {
    readonly system: Namespace;
    known(): Namespace[];
    changedBy(judge: Namespace): void;
  };
  /** The key of the one certificate that `content` is, if it may enter this keyring. */
  readonly admit: (content: Uint8Array, keyring: Keyring) => Result<TrustedKey, KeyRefusal>;
  readonly measurements: Pick<BufferMeasurements, 'measure' | 'measureBy'>;
  /** An entry of .blacklist, `bin:HEX` or `tbs:HEX`; undefined if it is none. */
  readonly parseBlacklistEntry: (
    line: string,
  ) => { readonly kind: BlacklistKind; readonly digest: Uint8Array } | undefined;
}

export class Keyrings {
  readonly #refusals = new WeakMap<Namespace, KeyRefusal & { readonly time: string }>();

  constructor(private readonly parts: KeyringsParts) {}

  /** A certificate for `.ima`. EIO: what must be measured could not be. */
  async add(
    namespace: Namespace,
    content: Uint8Array,
    caller: Caller,
  ): Promise<ErrnoName | undefined> {
    if (namespace.isDead) return 'EINVAL';
    const { keyring } = namespace.ima;
    const admitted = this.parts.admit(content, keyring);
    if (!admitted.ok) return this.#refuse(namespace, admitted.problem);
    const key = admitted.value;
    const isFull = () =>
      keyring.find(key.keyId) === undefined &&
      !namespace.isSystem &&
      keyring.keys().length >= LIMITS.keys;
    if (isFull()) return 'ENOSPC';
    if (isSame(keyring.find(key.keyId), key)) return undefined;
    // The kernel measures it when it is there already (ima_post_key_create_or_update).
    const isMeasured = await this.parts.measurements.measure(namespace, caller, measuredKey(key));
    if (!isMeasured) return 'EIO';
    // Others may have been added meanwhile.
    if (isFull()) return 'ENOSPC';
    keyring.add(key);
    changeIma(namespace.ima, {});
    namespace.record('keys', { keyring: '.ima', added: key.description });
    this.parts.registry.changedBy(namespace);
    return undefined;
  }

  /**
   * The first policy of its own is in force: it measures what the keyring has already, as the kernel its
   * queued keys (ima_process_queued_keys).
   */
  async measureQueued(namespace: Namespace, caller: Caller): Promise<void> {
    for (const key of namespace.ima.keyring.keys()) {
      await this.parts.measurements.measureBy(namespace, caller, measuredKey(key));
    }
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
    registry.changedBy(namespace);
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

const isSame = (one: TrustedKey | undefined, other: TrustedKey): boolean =>
  one !== undefined && Buffer.compare(one.certificate, other.certificate) === 0;

/** ima_post_key_create_or_update (ima_asymmetric_keys.c): event and keyring have one name. */
export const measuredKey = ({ certificate }: TrustedKey): MeasuredBuffer => ({
  hook: 'KEY_CHECK',
  eventName: '.ima',
  data: '.ima',
  bytes: certificate,
});
