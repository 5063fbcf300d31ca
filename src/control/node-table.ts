/**
 * Node numbers of the virtual tree. A name has one number for every caller, and a namespace that comes
 * with a number that was used before gets new nodes: the kernel detaches what is mounted on a name
 * whose lookup changes its answer. Numbers are never given out twice.
 */
import type { Namespace } from '../namespaces/namespace.js';
import { ENTRIES, type Entry, type Place } from './entries.js';

/**
 * Nodes of one directory lie in a row: the directory itself, then its entries, and those of directories
 * in it.
 */
const ROW = 64;
const DIRECTORY = 1;
const FIRST_ENTRY = 2;
const TOP = 0;

export const TOP_NODE = TOP * ROW + DIRECTORY;

/** What a number stands for. */
export interface VirtualNode {
  readonly node: number;
  /** undefined: at the top, so the namespace is the caller's. */
  readonly namespace: Namespace | undefined;
  /** undefined: the directory itself. */
  readonly entry: Entry | undefined;
}

interface Row {
  readonly index: number;
  readonly namespace: Namespace;
}

/** Ended namespaces whose nodes still have attributes, for descriptors opened before the end. */
const MOST_DEAD = 64;

export class NodeTable {
  readonly #byIndex = new Map<number, Row>();
  readonly #byNamespace = new Map<Namespace, Row>();
  #nextIndex = TOP + 1;

  /** undefined for a number that was never given out, or is of a namespace that ended long ago. */
  find(node: number): VirtualNode | undefined {
    const index = Math.floor(node / ROW);
    const row = this.#byIndex.get(index);
    if (row === undefined && index !== TOP) return undefined;
    const entry = ENTRIES[(node % ROW) - FIRST_ENTRY];
    return { node, namespace: row?.namespace, entry };
  }

  /** The directory of a namespace. */
  directory(namespace: Namespace): VirtualNode {
    const row = this.#byNamespace.get(namespace) ?? this.#add(namespace);
    return { node: row.index * ROW + DIRECTORY, namespace, entry: undefined };
  }

  /** What lies in a directory of the tree, in the order of entries.ts. */
  entriesOf(directory: VirtualNode): VirtualNode[] {
    const { namespace } = directory;
    const places = placesIn(directory);
    const first = directory.node - (directory.node % ROW) + FIRST_ENTRY;
    return ENTRIES.map((entry, at) => ({ node: first + at, namespace, entry })).filter(
      ({ entry }) => places.includes(entry.place),
    );
  }

  #add(namespace: Namespace): Row {
    this.#sweep();
    const row = { index: this.#nextIndex, namespace };
    this.#nextIndex += 1;
    this.#byIndex.set(row.index, row);
    this.#byNamespace.set(namespace, row);
    return row;
  }

  /** Drops those that ended longest ago (a Map iterates in order of insertion). */
  #sweep(): void {
    const dead = [...this.#byIndex.values()].filter(({ namespace }) => namespace.isDead);
    for (const row of dead.slice(0, -MOST_DEAD)) {
      this.#byIndex.delete(row.index);
      this.#byNamespace.delete(row.namespace);
    }
  }
}

const placesIn = ({ namespace, entry }: VirtualNode): readonly Place[] => {
  if (entry !== undefined) return entry.kind === 'directory' ? [entry.name] : [];
  return ['both', namespace === undefined ? 'top' : 'namespace'];
};
