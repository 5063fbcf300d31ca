/**
 * Namespaces become active and end. Results are errno names; undefined is
 * success.
 */
import { type ErrnoName, errnoOf } from '../base/errno.js';
import type { Log } from '../base/log.js';
import type { Caller, ProcessFacts } from '../binding/addon-types.js';
import type { AppraiseOption, NamespacePolicy } from '../daemon-options.js';
import type { Lineage } from './lineage.js';
import { type Activation, LIMITS, type Namespace, selfActivated } from './namespace.js';
import type { NamespaceIds } from './namespace-ids.js';
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
  readonly ids: Pick<NamespaceIds, 'namespaceLives' | 'needWalks'>;
  readonly appraise: AppraiseOption;
  readonly nsPolicy: NamespacePolicy;
  /** Begins a namespace's measurement list; rejects where it cannot. */
  readonly openList: (namespace: Namespace) => Promise<void>;
  readonly auditStatus: AuditStatus;
  readonly log: Log;
}

/** How often ended namespaces are looked for. */
const DEATH_CHECK_MS = 2000;

/**
 * So many checks in a row must find nobody from an ended namespace before its policy goes: a walk of
 * /proc is no snapshot, and may miss a process that forks or moves meanwhile.
 */
const CHECKS_WITHOUT_KIN = 3;

export class Lifecycle {
  #timer: NodeJS.Timeout | undefined;
  #isChecking = false;
  /** Ended activated namespaces that are still kept: checks in a row that found nobody from them. */
  readonly #ended = new Map<Namespace, number>();
  /** Activations by own roots that are under way: the namespace and the uid it counts against. */
  readonly #reserved = new Map<Namespace, number>();

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
    if (namespace.isActive) return undefined;
    const ownerUid = namespace.owner?.rootUid ?? caller.credentials.uid;
    // Ended ones count while they are kept: a process may leave one behind with each unshare.
    const used = selfActivated(registry.known(), ownerUid).length;
    const reserved = [...this.#reserved].filter(
      ([other, uid]) => uid === ownerUid && other !== namespace && !other.isActive,
    );
    if (used + reserved.length >= LIMITS.selfActivationsPerUid) return 'EDQUOT';
    this.#reserved.set(namespace, ownerUid);
    try {
      return await this.#activate(namespace, { by: 'own-root', ownerUid }, caller);
    } finally {
      this.#reserved.delete(namespace);
    }
  }

  /** Looks which namespaces ended, and frees what is kept for them once nobody needs it. */
  async retireDead(): Promise<void> {
    if (this.#isChecking) return;
    this.#isChecking = true;
    try {
      await this.#announceEnds();
      await this.#freeUnneeded();
    } finally {
      this.#isChecking = false;
    }
  }

  async #activate(
    namespace: Namespace,
    activation: Omit<Activation, 'time'>,
    caller: Caller,
  ): Promise<ErrnoName | undefined> {
    const { registry, lineage, walks, auditStatus, openList, log } = this.parts;
    try {
      await openList(namespace);
    } catch (error) {
      log.error({ err: error, namespace: namespace.name }, 'no measurement list');
      return errnoOf(error) ?? 'EIO';
    }
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

  /** Each death is handled once; what only others' policies judged is not needed any more. */
  async #announceEnds(): Promise<void> {
    const { registry, ids, lineage, walks } = this.parts;
    if (ids.needWalks) await walks.walk();
    const gone = registry
      .known()
      .filter((known) => !known.isSystem && !this.#ended.has(known))
      .filter(({ id }) => ids.namespaceLives(id) === false);
    for (const namespace of gone.filter(({ isActive }) => isActive)) {
      this.#ended.set(namespace, 0);
      await this.#announceEnd(namespace);
    }
    const bystanders = gone.filter(({ isActive }) => !isActive);
    // Who came from one of these is to be known as long as its parents live.
    if (bystanders.length > 0 && lineage.isNeeded) await this.#walkAndBind();
    for (const namespace of bystanders) if (!namespace.isActive) registry.remove(namespace);
  }

  /**
   * A process must not lose a policy because it left the namespace: whether the policy is needed is
   * decided by processes, which may be in another namespace each time one looks. A bound namespace
   * that lives needs it too: it can be entered, though nobody is in it.
   */
  async #freeUnneeded(): Promise<void> {
    const { registry, lineage, ids } = this.parts;
    if (this.#ended.size === 0) return;
    // Begins after the deaths were seen, so whoever left is seen where it went.
    const walked = await this.#walkAndBind();
    for (const [namespace, checks] of this.#ended) {
      const isNeeded =
        lineage.hasKin(namespace.id, walked) ||
        lineage.boundTo(namespace.id).some((bound) => ids.namespaceLives(bound) !== false);
      this.#ended.set(namespace, isNeeded ? 0 : checks + 1);
      if (isNeeded || checks + 1 < CHECKS_WITHOUT_KIN) continue;
      this.#ended.delete(namespace);
      registry.remove(namespace);
    }
  }

  async #announceEnd(namespace: Namespace): Promise<void> {
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
  async #walkAndBind(): Promise<readonly ProcessFacts[]> {
    const { lineage, walks, registry } = this.parts;
    const walked = await walks.walk();
    const undecided = lineage.undecided(walked);
    for (const scope of undecided) lineage.decide(scope, walked);
    registry.changed(undecided);
    return walked;
  }
}
