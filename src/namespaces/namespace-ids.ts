/**
 * What the ids of mount namespaces stand for, and whether those they name still live. From Linux 6.11
 * on an id is never given to another namespace, and listmount(2) tells the end of each. Before, the id
 * is the inode number of nsfs, which the kernel gives to the next namespace at once: there each
 * namespace that anything is kept for is held by a descriptor, and has ended when walk after walk of
 * /proc finds nobody in it.
 */
import type { Addon, ProcessFacts } from '../binding/addon-types.js';

export interface NamespaceIds {
  /** Before anything is kept under an id; `place` as namespacePlace(). False: it leads elsewhere by now. */
  hold(scope: bigint, place: string): boolean;
  /** Nothing is kept under the id any more. */
  release(scope: bigint): void;
  /** Undefined where nobody can know. */
  namespaceLives(scope: bigint): boolean | undefined;
  walkProcesses(): Promise<readonly ProcessFacts[]>;
  /** Without walks nobody is found to have ended. */
  readonly needWalks: boolean;
}

export interface NamespaceIdsParts {
  readonly addon: Pick<
    Addon,
    | 'namespaceIdsAreUnique'
    | 'namespaceLives'
    | 'pinNamespace'
    | 'closeDescriptor'
    | 'walkProcesses'
  >;
  /** nsfs inode numbers of the namespaces that bind mounts keep alive. */
  readonly boundNames: () => ReadonlySet<number>;
  /** Of an ended namespace that nobody kept anything for but what walks of /proc found. */
  readonly forgotten: (scope: bigint) => void;
}

/** Where the mount namespace of a task is found. */
export const namespacePlace = (task: number | 'self'): string => `/proc/${task}/ns/mnt`;

/** So many walks in a row: one is no snapshot, and may miss a process that forks meanwhile. */
const WALKS_WITHOUT_INHABITANT = 3;

export const namespaceIds = (parts: NamespaceIdsParts): NamespaceIds =>
  parts.addon.namespaceIdsAreUnique() ? uniqueIds(parts.addon) : new PinnedIds(parts);

const uniqueIds = (addon: NamespaceIdsParts['addon']): NamespaceIds => ({
  hold: () => true,
  release: () => undefined,
  namespaceLives: (scope) => addon.namespaceLives(scope),
  walkProcesses: () => addon.walkProcesses(),
  needWalks: false,
});

interface Pin {
  readonly descriptor: number;
  /** Something is kept under the id until release(). */
  isHeld: boolean;
  missedBy: number;
}

class PinnedIds implements NamespaceIds {
  readonly needWalks = true;
  readonly #pins = new Map<bigint, Pin>();

  constructor(private readonly parts: NamespaceIdsParts) {}

  hold(scope: bigint, place: string): boolean {
    const pin = this.#pinOf(scope, place);
    if (pin !== undefined) pin.isHeld = true;
    return pin !== undefined;
  }

  release(scope: bigint): void {
    const pin = this.#pins.get(scope);
    if (pin === undefined) return;
    this.#pins.delete(scope);
    this.parts.addon.closeDescriptor(pin.descriptor);
  }

  namespaceLives(scope: bigint): boolean | undefined {
    const pin = this.#pins.get(scope);
    return pin && pin.missedBy < WALKS_WITHOUT_INHABITANT;
  }

  /** Without processes whose namespace could not be held: by now it may be another one's number. */
  async walkProcesses(): Promise<readonly ProcessFacts[]> {
    const walked = await this.parts.addon.walkProcesses();
    const held = walked.filter(({ scope, pid }) => this.#pinOf(scope, namespacePlace(pid)));
    this.#count(held);
    return held;
  }

  #pinOf(scope: bigint, place: string): Pin | undefined {
    const known = this.#pins.get(scope);
    if (known !== undefined) return known;
    const descriptor = this.parts.addon.pinNamespace(place, scope);
    if (descriptor === undefined) return undefined;
    const pin = { descriptor, isHeld: false, missedBy: 0 };
    this.#pins.set(scope, pin);
    return pin;
  }

  #count(walked: readonly ProcessFacts[]): void {
    const inhabited = new Set(walked.map(({ scope }) => scope));
    const bound = this.parts.boundNames();
    for (const [scope, pin] of this.#pins) {
      const lives = inhabited.has(scope) || bound.has(Number(scope));
      pin.missedBy = lives ? 0 : pin.missedBy + 1;
      if (pin.isHeld || pin.missedBy < WALKS_WITHOUT_INHABITANT) continue;
      this.parts.forgotten(scope);
      this.release(scope);
    }
  }
}
