/**
 * A container must not shed its policy by `unshare -m` (DESIGN section 4, Lineage): which activated
 * mount namespaces a namespace first seen later comes from. Pure: it is told what /proc shows.
 *
 * A process *belongs* to an activated namespace if it carries evidence of it (a user namespace, pid
 * namespace or cgroup that nobody else had when it was activated) or descends from one of its members.
 * If all processes of a new namespace belong, it is bound for life. If only some do, those came in by
 * setns: each caller is judged for itself, and the namespace is not bound.
 */
import type { ProcessFacts } from '../binding/addon-types.js';

/** What was decided about a namespace, by 64-bit ids of activated ones. */
export type Standing =
  /** For life; an empty list: it comes from none. */
  { readonly kind: 'bound'; readonly to: readonly bigint[] } | { readonly kind: 'per-caller' };

/** PROC_USER_INIT_INO and PROC_PID_INIT_INO of include/linux/proc_ns.h: never evidence. */
const INITIAL_USER_NAMESPACE = 0xeffffffd;
const INITIAL_PID_NAMESPACE = 0xeffffffc;

interface Evidence {
  readonly userNamespaces: ReadonlySet<number>;
  readonly pidNamespaces: ReadonlySet<number>;
  readonly cgroups: ReadonlySet<string>;
}

interface Activated {
  readonly evidence: Evidence;
  /** Lived at activation and came from elsewhere: only descent can still bind them. */
  readonly older: Set<bigint>;
  /** Processes seen in it or in one bound to it: pid -> start time. */
  readonly members: Map<number, bigint>;
}

type Processes = ReadonlyMap<number, ProcessFacts>;

export class Lineage {
  readonly #activated = new Map<bigint, Activated>();
  readonly #standings = new Map<bigint, Standing>();

  constructor(private readonly system: bigint) {}

  /** Whether first sights need a look at /proc at all. */
  get isNeeded(): boolean {
    return this.#activated.size > 0;
  }

  standing(scope: bigint): Standing | undefined {
    return scope === this.system ? { kind: 'bound', to: [] } : this.#standings.get(scope);
  }

  /** `known`: namespaces seen before, which may have no process at this moment. */
  activate(scope: bigint, walked: readonly ProcessFacts[], known: Iterable<bigint>): void {
    const processes = byPid(walked);
    const members = new Map(
      walked.filter((process) => process.scope === scope).map((p) => [p.pid, p.startTime]),
    );
    const descends = (process: ProcessFacts): boolean =>
      hasAncestor(process, processes, (one) => members.get(one.pid) === one.startTime);

    const others = groupByScope(walked.filter((process) => process.scope !== scope));
    const older = new Set<bigint>(known);
    const family = new Set([scope]);
    for (const [other, inhabitants] of others) {
      if (other !== this.system && inhabitants.every(descends)) family.add(other);
      else older.add(other);
    }
    older.delete(scope);

    this.#activated.set(scope, { evidence: evidenceOf(family, walked), older, members });
    for (const other of family) if (other !== scope) this.#bind(other, [scope]);
    for (const other of older) if (!this.#standings.has(other)) this.#bind(other, []);
    if (!this.#standings.has(scope)) this.#bind(scope, []);
    this.#noteMembers(walked);
  }

  /**
   * First sight of a namespace: decides its standing from the processes in it. `pid`: the caller's,
   * one thread of which may be in the namespace alone. Throws if nothing of it is to be seen in /proc.
   */
  decide(scope: bigint, walked: readonly ProcessFacts[], pid?: number): Standing {
    this.#noteMembers(walked);
    const processes = byPid(walked);
    const inhabitants = walked.filter((process) => process.scope === scope || process.pid === pid);
    if (inhabitants.length === 0)
      throw new Error(`no process of mount namespace ${scope} in /proc`);
    const bound: bigint[] = [];
    let isMixed = false;
    for (const [ancestor, activated] of this.#activated) {
      const belonging = inhabitants.filter((process) =>
        this.#belongs(process, ancestor, activated, processes),
      );
      if (belonging.length === 0) continue;
      if (belonging.length === inhabitants.length) bound.push(ancestor);
      else isMixed = true;
    }
    if (isMixed) this.#standings.set(scope, { kind: 'per-caller' });
    else this.#bind(scope, bound);
    this.#noteMembers(walked);
    return this.standing(scope) ?? { kind: 'bound', to: bound };
  }

  /** The activated namespaces that one process of a 'per-caller' namespace belongs to. */
  ofProcess(pid: number, walked: readonly ProcessFacts[]): bigint[] {
    const processes = byPid(walked);
    const process = processes.get(pid);
    if (process === undefined) throw new Error(`process ${pid} is not to be seen in /proc`);
    return [...this.#activated]
      .filter(([ancestor, activated]) => this.#belongs(process, ancestor, activated, processes))
      .map(([ancestor]) => ancestor);
  }

  /**
   * Whether any process comes from an activated namespace, wherever it is now: the next namespace
   * that it makes has to be bound, so the evidence must be kept.
   */
  hasKin(scope: bigint, walked: readonly ProcessFacts[]): boolean {
    const activated = this.#activated.get(scope);
    if (activated === undefined) return false;
    this.#noteMembers(walked);
    const processes = byPid(walked);
    return walked.some(
      (process) =>
        carries(process, activated.evidence) || this.#belongs(process, scope, activated, processes),
    );
  }

  /** Namespaces bound to an activated one: as long as one of them lives, its policy is needed. */
  boundTo(scope: bigint): bigint[] {
    return [...this.#standings]
      .filter(([, standing]) => standing.kind === 'bound' && standing.to.includes(scope))
      .map(([bound]) => bound);
  }

  /** Namespaces that processes are in and that nobody decided on yet. */
  undecided(walked: readonly ProcessFacts[]): Set<bigint> {
    return new Set(walked.map(({ scope }) => scope).filter((scope) => !this.standing(scope)));
  }

  /** The namespace does not exist any more. */
  forget(scope: bigint): void {
    this.#standings.delete(scope);
    this.#activated.delete(scope);
    for (const { older } of this.#activated.values()) older.delete(scope);
  }

  #bind(scope: bigint, to: readonly bigint[]): void {
    const before = this.#standings.get(scope);
    if (before?.kind === 'per-caller') return;
    this.#standings.set(scope, { kind: 'bound', to: [...new Set([...(before?.to ?? []), ...to])] });
  }

  #isFamily(scope: bigint, ancestor: bigint): boolean {
    const standing = this.#standings.get(scope);
    return scope === ancestor || (standing?.kind === 'bound' && standing.to.includes(ancestor));
  }

  #belongs(
    process: ProcessFacts,
    ancestor: bigint,
    { evidence, older, members }: Activated,
    processes: Processes,
  ): boolean {
    if (!older.has(process.scope) && carries(process, evidence)) return true;
    return hasAncestor(
      process,
      processes,
      (one) => this.#isFamily(one.scope, ancestor) || members.get(one.pid) === one.startTime,
    );
  }

  /** Who is in an activated namespace now is a member even after leaving it, until its end. */
  #noteMembers(walked: readonly ProcessFacts[]): void {
    const processes = byPid(walked);
    for (const [ancestor, { members }] of this.#activated) {
      for (const [pid, startTime] of members) {
        if (processes.get(pid)?.startTime !== startTime) members.delete(pid);
      }
      for (const { pid, startTime, scope } of walked) {
        if (this.#isFamily(scope, ancestor)) members.set(pid, startTime);
      }
    }
  }
}

const byPid = (walked: readonly ProcessFacts[]): Processes =>
  new Map(walked.map((process) => [process.pid, process]));

const groupByScope = (walked: readonly ProcessFacts[]): Map<bigint, ProcessFacts[]> => {
  const groups = new Map<bigint, ProcessFacts[]>();
  for (const process of walked) {
    const group = groups.get(process.scope);
    if (group === undefined) groups.set(process.scope, [process]);
    else group.push(process);
  }
  return groups;
};

/** Whether the process or one of its living ancestors is `wanted`. */
const hasAncestor = (
  process: ProcessFacts,
  processes: Processes,
  wanted: (one: ProcessFacts) => boolean,
): boolean => {
  const passed = new Set<number>();
  let one: ProcessFacts | undefined = process;
  while (one !== undefined && !passed.has(one.pid)) {
    if (wanted(one)) return true;
    passed.add(one.pid);
    one = processes.get(one.parent);
  }
  return false;
};

/** What the family's processes have and no other process has. */
const evidenceOf = (family: ReadonlySet<bigint>, walked: readonly ProcessFacts[]): Evidence => {
  const inside = walked.filter(({ scope }) => family.has(scope));
  const outside = walked.filter(({ scope }) => !family.has(scope));
  const userNamespaces = new Set(inside.map((process) => process.userNamespace));
  const pidNamespaces = new Set(inside.map((process) => process.pidNamespace));
  const cgroups = new Set(inside.map((process) => process.cgroup));
  userNamespaces.delete(INITIAL_USER_NAMESPACE);
  pidNamespaces.delete(INITIAL_PID_NAMESPACE);
  cgroups.delete('/');
  for (const process of outside) {
    userNamespaces.delete(process.userNamespace);
    pidNamespaces.delete(process.pidNamespace);
    for (const cgroup of cgroups) if (isWithin(process.cgroup, cgroup)) cgroups.delete(cgroup);
  }
  return { userNamespaces, pidNamespaces, cgroups };
};

const carries = (process: ProcessFacts, evidence: Evidence): boolean =>
  evidence.userNamespaces.has(process.userNamespace) ||
  evidence.pidNamespaces.has(process.pidNamespace) ||
  [...evidence.cgroups].some((cgroup) => isWithin(process.cgroup, cgroup));

/** A cgroup below a container's is the container's too. */
const isWithin = (cgroup: string, parent: string): boolean =>
  cgroup === parent || cgroup.startsWith(`${parent}/`);
