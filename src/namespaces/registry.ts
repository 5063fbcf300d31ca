/**
 * All mount namespaces that matter, by their 64-bit id, and the answer to the one question of the gate:
 * whose policies judge this caller?
 */
import type { Addon, Caller, NamespaceOwner, NativeTransport } from '../binding/addon-types.js';
import type { NamespacePolicy } from '../daemon-options.js';
import type { Ima } from '../ima/ima.js';
import type { Subject } from '../ima/ports.js';
import { subjectsOf } from './caller.js';
import type { Lineage, Standing } from './lineage.js';
import { Namespace } from './namespace.js';
import { type NamespaceIds, namespacePlace } from './namespace-ids.js';
import type { ProcessWalks } from './process-walks.js';
import { labelledSubjects } from './subject-label.js';

/** One policy that has to allow an access, and for whom it is asked. */
export interface Judge {
  /** Whose policy judges. */
  readonly namespace: Namespace;
  /** The caller's own. */
  readonly scope: Namespace;
  /** `namespace`'s policy, with what it remembers of files for callers of `scope`. */
  readonly ima: Ima;
  /** Two where the request's credentials are not the thread's: the stricter result counts. */
  readonly subjects: readonly Subject[];
}

export interface RegistryParts {
  readonly addon: Pick<Addon, 'namespaceOwner'>;
  readonly ids: Pick<NamespaceIds, 'hold' | 'release' | 'namespaceLives'>;
  readonly transport: Pick<NativeTransport, 'setScope' | 'dropScope'>;
  readonly lineage: Lineage;
  readonly walks: ProcessWalks;
  readonly nsPolicy: NamespacePolicy;
  /** The IMA a namespace begins with. */
  readonly newIma: (id: bigint) => Ima;
  /** What else is kept for a namespace can go; resolves when it has gone, and never rejects. */
  readonly removed: (namespace: Namespace) => Promise<void>;
}

export class Registry {
  readonly system: Namespace;
  /** Every namespace seen; dead ones stay while processes that come from them live. */
  readonly #namespaces = new Map<bigint, Namespace>();
  /** Namespaces whose facts native was told. */
  readonly #published = new Set<bigint>();

  constructor(
    private readonly parts: RegistryParts,
    system: { scope: bigint; scopeName: number; owner: NamespaceOwner | undefined; ima: Ima },
  ) {
    this.system = new Namespace(system.scope, system.scopeName, true, system.ima, system.owner);
    this.#namespaces.set(system.scope, this.system);
  }

  /** The namespace of a caller, made known on first sight. */
  ofCaller(caller: Caller): Namespace {
    return this.obtain(caller.scope, caller.scopeName, caller.tid);
  }

  /** The namespace that the task `tid` is in. Throws ESRCH if it is in another one by now. */
  obtain(scope: bigint, scopeName: number, tid: number): Namespace {
    const known = this.#namespaces.get(scope);
    if (known !== undefined) return known;
    if (!this.parts.ids.hold(scope, namespacePlace(tid))) {
      throw Object.assign(new Error(`task ${tid} left mount namespace ${scopeName}`), {
        code: 'ESRCH',
      });
    }
    const owner = this.#ownerOf(tid);
    const namespace = new Namespace(scope, scopeName, false, this.parts.newIma(scope), owner);
    this.#namespaces.set(scope, namespace);
    return namespace;
  }

  /**
   * The live activated namespace with this number (the system's too); undefined if there is none. A
   * number is used again as soon as its namespace ended, so each use looks whether it lives.
   */
  byName(name: number): Namespace | undefined {
    return this.activated().find(
      (known) => known.name === name && this.parts.ids.namespaceLives(known.id) !== false,
    );
  }

  byId(id: bigint): Namespace | undefined {
    return this.#namespaces.get(id);
  }

  /** Live activated namespaces, the system's first. */
  activated(): Namespace[] {
    return [...this.#namespaces.values()].filter((known) => known.isActive && !known.isDead);
  }

  /** Every namespace seen, dead ones with living descendants included. */
  known(): Namespace[] {
    return [...this.#namespaces.values()];
  }

  /**
   * Those whose policies must all allow what this caller does, the system's first. Rejects where it
   * cannot be found out which they are.
   */
  async judges(caller: Caller): Promise<readonly Judge[]> {
    const subjects = subjectsOf(caller);
    const scopes = [this.ofCaller(caller)];
    const { leaderScope } = caller;
    // An io worker may carry an older namespace than its process: both count.
    if (leaderScope !== undefined && leaderScope.scope !== caller.scope) {
      scopes.push(this.obtain(leaderScope.scope, leaderScope.scopeName, caller.pid));
    }
    const judges: Judge[] = [];
    for (const scope of scopes) {
      for (const namespace of this.#owners(scope, await this.#ancestors(scope, caller))) {
        const ima = scope.imaOf(namespace);
        judges.push({
          namespace,
          scope,
          ima,
          subjects: labelledSubjects(subjects, ima.policy, caller),
        });
      }
    }
    return judges;
  }

  /**
   * To be called when what is bound to what changed, or what the system's namespace demands: verdicts are
   * void. `ids`: the namespaces it changed for, all unless given.
   */
  changed(ids: Iterable<bigint> = this.#published): void {
    for (const id of ids) {
      const namespace = this.#published.has(id) ? this.#namespaces.get(id) : undefined;
      if (namespace !== undefined) this.#publish(namespace);
    }
  }

  /** The same when policy, mode, hash or keys of one changed: for those it may have a say in. */
  changedBy(judge: Namespace): void {
    const { lineage } = this.parts;
    const isJudged = (id: bigint): boolean => {
      const standing = lineage.standing(id);
      return id === judge.id || standing?.kind !== 'bound' || standing.to.includes(judge.id);
    };
    this.changed(judge.isSystem ? undefined : [...this.#published].filter(isJudged));
  }

  /** A namespace ended and nobody comes from it any more: everything kept for it goes. */
  remove(namespace: Namespace): void {
    this.#namespaces.delete(namespace.id);
    this.#published.delete(namespace.id);
    this.parts.lineage.forget(namespace.id);
    this.parts.transport.dropScope(namespace.id);
    for (const other of this.#namespaces.values()) other.forgetJudge(namespace.id);
    // Last of all, for then the id may become another one's; unless somebody was there after all.
    void this.parts.removed(namespace).then(() => {
      if (!this.#namespaces.has(namespace.id)) this.parts.ids.release(namespace.id);
    });
  }

  /** Activated namespaces besides its own that judge a caller of `scope`, by id. */
  async #ancestors(scope: Namespace, caller: Caller): Promise<readonly bigint[]> {
    const { lineage, walks } = this.parts;
    let standing = lineage.standing(scope.id);
    if (standing === undefined && lineage.isNeeded) {
      const { processes } = await walks.walk();
      standing = lineage.standing(scope.id) ?? lineage.decide(scope.id, processes, caller.pid);
      this.#recordStanding(scope, standing);
      this.#publish(scope);
    } else if (!this.#published.has(scope.id)) {
      this.#publish(scope);
    }
    if (standing?.kind === 'per-caller') {
      return lineage.ofProcess(caller.pid, (await walks.walk()).processes);
    }
    return standing?.to ?? [];
  }

  #recordStanding(scope: Namespace, standing: Standing): void {
    if (standing.kind !== 'bound') return;
    for (const id of standing.to) {
      const to = this.#namespaces.get(id);
      if (to !== undefined) scope.record('bound', { to: to.name });
    }
  }

  /** DESIGN section 4, ns_policy; without a policy of its own the system's judges a namespace. */
  #owners(scope: Namespace, ancestors: readonly bigint[]): Namespace[] {
    const own = [...ancestors.map((id) => this.#namespaces.get(id)), scope].filter(
      (namespace): namespace is Namespace =>
        namespace?.hasOwnPolicy === true && namespace !== this.system,
    );
    const isReplaced = this.parts.nsPolicy === 'replace' && own.length > 0;
    return [...new Set(isReplaced ? own : [this.system, ...own])];
  }

  /** Tells native what verdicts for the namespace depend on; those under way and remembered are void. */
  #publish(scope: Namespace): void {
    const { lineage, transport } = this.parts;
    const standing = lineage.standing(scope.id);
    const ancestors = standing?.kind === 'bound' ? standing.to : [];
    const owners = this.#owners(scope, ancestors);
    this.#published.add(scope.id);
    transport.setScope(scope.id, {
      readCredentials: owners.some(({ ima }) => ima.policy.readsCredentials),
      // Native keys on ids: a label cannot be part of the key.
      cacheable:
        !owners.some(({ ima }) => ima.policy.readsSubjectLabel) &&
        (standing === undefined ? !lineage.isNeeded : standing.kind === 'bound'),
    });
  }

  #ownerOf(tid: number): NamespaceOwner | undefined {
    try {
      return this.parts.addon.namespaceOwner(tid);
    } catch {
      return undefined;
    }
  }
}
