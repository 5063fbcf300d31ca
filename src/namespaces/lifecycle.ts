/**
 * Namespaces become active, change their settings, and end. Results are errno names; undefined is
 * success.
 */
import type { ErrnoName } from '../base/errno.js';
import type { Log } from '../base/log.js';
import type { Addon, Caller } from '../binding/addon-types.js';
import type { AppraiseOption, NamespacePolicy } from '../daemon-options.js';
import { changeIma } from '../ima/ima.js';
import type { AppraiseMode } from '../ima/ports.js';
import type { Lineage } from './lineage.js';
import { type Activation, LIMITS, type Namespace, selfActivated } from './namespace.js';
import type { ProcessWalks } from './process-walks.js';
import type { Registry } from './registry.js';

/** Port: an audit record of type 1802 that is about no file (AuditLog.status). */
export type AuditStatus = (event: {
  readonly namespace: number;
  readonly caller: Caller | undefined;
  readonly op: string;
  readonly cause: string;
  readonly result: 0 | 1;
  readonly errno: number;
}) => Promise<void>;

export interface LifecycleParts {
  readonly registry: Registry;
  readonly lineage: Lineage;
  readonly walks: ProcessWalks;
  readonly addon: Pick<Addon, 'namespaceLives'>;
  readonly appraise: AppraiseOption;
  readonly nsPolicy: NamespacePolicy;
  /** Whether files can be hashed with a kernel algorithm. */
  readonly canHash: (algorithm: string) => boolean;
  readonly auditStatus: AuditStatus;
  readonly log: Log;
}

/** How often ended namespaces are looked for. */
const DEATH_CHECK_MS = 2000;

const MODES: readonly AppraiseMode[] = ['off', 'log', 'fix', 'enforce'];

export class Lifecycle {
  #timer: NodeJS.Timeout | undefined;
  #isChecking = false;

  constructor(private readonly parts: LifecycleParts) {}

  start(): void {
    this.#timer = setInterval(() => {
      this.retireDead().catch((error: unknown) => {
        this.parts.log.error({ err: error }, 'looking for ended namespaces failed');
      });
    }, DEATH_CHECK_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** A number written to `namespaces` by the system's root; errors as reference/ima.md 1.3. */
  async activate(name: number, caller: Caller): Promise<ErrnoName | undefined> {
    const { registry, walks, appraise } = this.parts;
    if (appraise !== 'enforce_ns' || name === registry.system.name) return 'EINVAL';
    if (registry.byName(name) !== undefined) return undefined;
    const walked = await walks.walk();
    const inhabitant = walked.find(({ scopeName }) => scopeName === name);
    if (inhabitant === undefined) return 'ENOENT';
    const namespace = registry.obtain(inhabitant.scope, name, inhabitant.pid);
    const ownerUid = namespace.owner?.rootUid ?? inhabitant.uid;
    return this.#activate(namespace, { by: 'system', ownerUid }, caller);
  }

  /** `1` written to `active` by the namespace's own root. EPERM under replace, EDQUOT over the limit. */
  async activateSelf(caller: Caller): Promise<ErrnoName | undefined> {
    const { registry, appraise, nsPolicy } = this.parts;
    const namespace = registry.ofCaller(caller);
    if (appraise !== 'enforce_ns' || namespace.isSystem) return 'EINVAL';
    if (nsPolicy === 'replace') return 'EPERM';
    const ownerUid = namespace.owner?.rootUid ?? caller.credentials.uid;
    const used = selfActivated(registry.activated(), ownerUid).length;
    if (used >= LIMITS.selfActivationsPerUid) return 'EDQUOT';
    return this.#activate(namespace, { by: 'own-root', ownerUid }, caller);
  }

  /** `mode` of a namespace: off, log, fix or enforce. EINVAL for anything else. */
  setMode(namespace: Namespace, mode: string): ErrnoName | undefined {
    const known = MODES.find((one) => one === mode);
    if (known === undefined || namespace.isDead) return 'EINVAL';
    changeIma(namespace.ima, { mode: known });
    namespace.record('mode', { mode });
    this.parts.registry.changed();
    return undefined;
  }

  /** `hash` of a namespace: a kernel algorithm name. EINVAL for one nobody here can compute. */
  setHash(namespace: Namespace, algorithm: string): ErrnoName | undefined {
    if (!this.parts.canHash(algorithm) || namespace.isDead) return 'EINVAL';
    changeIma(namespace.ima, { hashAlgorithm: algorithm });
    namespace.record('hash', { hash: algorithm });
    this.parts.registry.changed();
    return undefined;
  }

  /** Looks which namespaces ended, and frees what is kept for them. */
  async retireDead(): Promise<void> {
    if (this.#isChecking) return;
    this.#isChecking = true;
    try {
      const { registry, addon } = this.parts;
      const gone = registry
        .known()
        .filter((known) => !known.isSystem && addon.namespaceLives(known.id) === false);
      for (const namespace of gone) await this.#announceEnd(namespace);
      if (gone.length > 0 && this.parts.lineage.isNeeded) await this.#bindUnseen();
      // A descendant must not lose the policy because its ancestor's last process left.
      const isNeeded = ({ id }: Namespace): boolean =>
        this.parts.lineage.boundTo(id).some((bound) => addon.namespaceLives(bound) !== false);
      for (const namespace of gone) if (!isNeeded(namespace)) registry.remove(namespace);
    } finally {
      this.#isChecking = false;
    }
  }

  async #activate(
    namespace: Namespace,
    activation: Omit<Activation, 'time'>,
    caller: Caller,
  ): Promise<undefined> {
    const { registry, lineage, walks, auditStatus } = this.parts;
    const walked = await walks.walk();
    // Two may have asked at once.
    if (namespace.isActive) return undefined;
    lineage.activate(
      namespace.id,
      walked,
      registry.known().map(({ id }) => id),
    );
    namespace.activate({ ...activation, time: new Date().toISOString() });
    registry.changed();
    await auditStatus({
      namespace: namespace.name,
      caller,
      op: 'namespace_activate',
      cause: activation.by,
      result: 1,
      errno: 0,
    });
    return undefined;
  }

  async #announceEnd(namespace: Namespace): Promise<void> {
    if (!namespace.isActive || namespace.isDead) return;
    namespace.retire();
    await this.parts.auditStatus({
      namespace: namespace.name,
      caller: undefined,
      op: 'namespace_retire',
      cause: 'ended',
      result: 1,
      errno: 0,
    });
  }

  /** Descendants that have not opened anything yet must be known before their ancestor is forgotten. */
  async #bindUnseen(): Promise<void> {
    const { lineage, walks, registry } = this.parts;
    const walked = await walks.walk();
    for (const scope of lineage.undecided(walked)) lineage.decide(scope, walked);
    registry.changed();
  }
}
