/**
 * One mount namespace as imafs knows it: its own IMA (policy, mode, hash), what was refused, what
 * happened. Every namespace that ever opened a file has one; an activated one may have a policy.
 */
import type { NamespaceOwner } from '../binding/addon-types.js';
import { type LeftFile, lastWriterSettled } from '../ima/check-last-writer.js';
import type { Ima } from '../ima/ima.js';
import { resetAppraiseFlags } from '../ima/inode-setxattr.js';
import { imaView } from './ima-view.js';
import { Ring } from './ring.js';

/** A refusal, as `denials` shows it: what, which rule, the kernel's cause, what to do next. */
export interface Denial {
  /** ISO 8601 */
  readonly time: string;
  /** Of the mount namespace whose policy refused. */
  readonly judge: number;
  /** What that namespace is to the caller's: the caller's own, the system's, or one it comes from. */
  readonly policyOf: 'own' | 'system' | 'lineage';
  /** Of the mount namespace of the caller. */
  readonly namespace: number;
  readonly operation: 'read' | 'write' | 'execute' | 'setxattr' | 'removexattr';
  readonly hook: string;
  readonly path: string;
  readonly pid: number;
  readonly comm: string;
  /** Where the rule stands, `source:line`, and its canonical text; undefined where no rule is at fault. */
  readonly rule: { readonly at: string; readonly text: string } | undefined;
  readonly cause: string;
  /** What the file holds and what security.ima says, as `algorithm:hex`. */
  readonly digestFound: string | undefined;
  readonly digestWanted: string | undefined;
  /** Symbolic: EACCES, EPERM, ETXTBSY, EIO. */
  readonly errno: string;
  readonly hint: string | undefined;
  /** The end of the hint, where a shell command does it. */
  readonly command: string | undefined;
}

type SettingEvent = 'policy' | 'mode' | 'hash' | 'template' | 'tpm' | 'list' | 'keys';

/** What happened to a namespace, as `events` shows it. */
export interface NamespaceEvent {
  readonly time: string;
  readonly event: 'activated' | 'bound' | 'denied' | 'retired' | SettingEvent;
  readonly detail: Readonly<Record<string, string | number>>;
}

/** How a namespace came to be active. */
export interface Activation {
  readonly by: 'system' | 'own-root';
  /** uid in the daemon's user namespace against whose limit it counts. */
  readonly ownerUid: number;
  /** ISO 8601 */
  readonly time: string;
}

/** Reaching one of these hurts only the namespace (or the uid) that reaches it. */
export const LIMITS = {
  denials: 256,
  events: 256,
  /** Rules of a policy other than the system's (ima.md section 7). */
  rules: 1024,
  /** Activated namespaces of one owning uid that activated themselves. */
  selfActivationsPerUid: 64,
  /** Bytes of one policy file named by path. */
  policyFileBytes: 1024 * 1024,
  /** Entries of the measurement list of a namespace other than the system's. */
  listEntries: 262_144,
  /** Bytes of the measurement lists of all namespaces of one owning uid, the system's aside. */
  ownersListBytes: 256 * 1024 * 1024,
  /** Keys in .ima of a namespace other than the system's, and entries of its .blacklist. */
  keys: 256,
  blacklist: 4096,
  /** Bytes of keys and critical data that the system's list takes from all namespaces of one owning uid. */
  foreignBufferBytes: 4 * 1024 * 1024,
  /** Files whose status a policy remembers for the callers of one namespace. */
  iints: 131_072,
} as const;

/** The live namespaces that activated themselves and count against the limit of `ownerUid`. */
export const selfActivated = (activated: readonly Namespace[], ownerUid: number): Namespace[] =>
  activated.filter(({ activation }) => isOwnOf(activation, ownerUid));

const isOwnOf = (activation: Activation | undefined, ownerUid: number): boolean =>
  activation?.by === 'own-root' && activation.ownerUid === ownerUid;

export interface NamespaceCounters {
  /** Opens judged by JavaScript (warm ones never get here). */
  opens: number;
  denied: number;
}

export class Namespace {
  readonly denials = new Ring<Denial>(LIMITS.denials);
  readonly events = new Ring<NamespaceEvent>(LIMITS.events);
  readonly counters: NamespaceCounters = { opens: 0, denied: 0 };
  #activation: Activation | undefined;
  #dead = false;
  /** What other namespaces' policies remember for callers of this one, by the others' ids. */
  readonly #views = new Map<bigint, Ima>();

  constructor(
    /** 64-bit id, never reused: the key of everything. */
    readonly id: bigint,
    /** nsfs inode number, which users see; reused after death. */
    readonly name: number,
    readonly isSystem: boolean,
    readonly ima: Ima,
    /** Who owns it; undefined where that could not be read: then nobody but the system's root may. */
    readonly owner: NamespaceOwner | undefined,
  ) {}

  /** The system namespace always is. */
  get isActive(): boolean {
    return this.isSystem || this.#activation !== undefined;
  }

  get activation(): Activation | undefined {
    return this.#activation;
  }

  /** Whether its own policy judges: active, and given at least one rule. */
  get hasOwnPolicy(): boolean {
    return this.isActive && this.ima.policy.rules.length > 0;
  }

  /** It ended: its directory is gone, descriptors opened before read empty and fail to write (EINVAL). */
  get isDead(): boolean {
    return this.#dead;
  }

  /** The policy of `judge` as it is applied to callers of this namespace. */
  imaOf(judge: Namespace): Ima {
    if (judge === this) return this.ima;
    const view = this.#views.get(judge.id) ?? imaView(judge.ima, LIMITS.iints);
    this.#views.set(judge.id, view);
    return view;
  }

  /** The same, unless it never was applied to any. */
  knownImaOf(judge: Namespace): Ima | undefined {
    return judge === this ? this.ima : this.#views.get(judge.id);
  }

  /** What is known of a file holds no more. */
  forgetResults(nodes: readonly number[]): void {
    for (const ima of this.#imas()) ima.iints.forget(nodes);
  }

  /** Its attributes are about to change: what was found of it is void, its writers are there as before. */
  resetResults(node: number): void {
    for (const ima of this.#imas()) resetAppraiseFlags(ima, node);
  }

  /** Its owner or mode is another. */
  attributesChanged(node: number): void {
    for (const ima of this.#imas()) ima.iints.find(node)?.changeAttributes();
  }

  /**
   * Nobody could write to the file a moment ago: a period of writers is over. `keepsResults`: the next one
   * has begun, without a change in between.
   */
  writersEnded(node: number, keepsResults: boolean): void {
    this.ima.violations.writersEnded(node);
    if (keepsResults) return;
    for (const ima of this.#imas()) ima.iints.find(node)?.forgetResults();
  }

  /** The last writer of the file has left it; undefined: it is gone. */
  lastWriterEnded(node: number, left: LeftFile | undefined): void {
    for (const ima of this.#imas()) lastWriterSettled(ima, node, left);
  }

  /** The kernel forgot these inodes. */
  forgetNodes(nodes: readonly number[]): void {
    this.forgetResults(nodes);
    this.ima.violations.forget(nodes);
  }

  /** A namespace whose policy judged callers of this one does not exist any more. */
  forgetJudge(id: bigint): void {
    this.#views.delete(id);
  }

  /** All that remember anything of files for callers of this namespace. */
  #imas(): Ima[] {
    return [this.ima, ...this.#views.values()];
  }

  activate(activation: Activation): void {
    this.#activation = activation;
    this.record('activated', { by: activation.by });
  }

  retire(): void {
    this.#dead = true;
    this.record('retired', {});
  }

  record(event: NamespaceEvent['event'], detail: NamespaceEvent['detail']): void {
    this.events.add({ time: new Date().toISOString(), event, detail });
  }
}
