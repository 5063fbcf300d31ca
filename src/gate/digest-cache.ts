/**
 * Digests of file versions, shared by all namespaces (DESIGN section 4, Status). Kept are only those
 * that were read when the version could be relied on: not fresh, and the same after the last byte.
 */

/** Digests kept of each algorithm, 12 bytes and the digest for each: what is forgotten is read again. */
const CAPACITY = 131_072;

export class DigestCache {
  readonly #tables = new Map<string, DigestTable>();

  constructor(private readonly capacity = CAPACITY) {}

  find(node: number, version: number, algorithm: string): Uint8Array | undefined {
    return this.#tables.get(algorithm)?.find(node, version);
  }

  /** The caller vouches for it: read from a version that was not fresh and still stood afterwards. */
  keep(node: number, version: number, algorithm: string, digest: Uint8Array): void {
    const table = this.#tables.get(algorithm) ?? new DigestTable(this.capacity, digest.length);
    this.#tables.set(algorithm, table);
    table.keep(node, version, digest);
  }

  /** The kernel forgot these inodes: their numbers may come back as other files. */
  forget(nodes: readonly number[]): void {
    for (const table of this.#tables.values()) for (const node of nodes) table.forget(node);
  }

  get size(): number {
    let size = 0;
    for (const table of this.#tables.values()) size += table.size;
    return size;
  }
}

/**
 * Digests of one algorithm, all of one length. Native counts nodes up, so a node's place follows from
 * its number: the last `capacity` nodes share no place, and of two that do the later one is kept. Flat
 * arrays are a third of what a Map of objects takes, nothing for the garbage collector to walk, and
 * the system gives no memory for places that no node has come to yet.
 */
class DigestTable {
  /** Which of the nodes that share the place has it, counted from 1; 0 where it is free. */
  readonly #owners: Uint32Array;
  readonly #versions: Float64Array;
  readonly #digests: Uint8Array;

  constructor(
    private readonly capacity: number,
    private readonly digestBytes: number,
  ) {
    this.#owners = new Uint32Array(capacity);
    this.#versions = new Float64Array(capacity);
    this.#digests = new Uint8Array(capacity * digestBytes);
  }

  find(node: number, version: number): Uint8Array | undefined {
    const place = node % this.capacity;
    if (!this.#isOwner(node) || this.#versions[place] !== version) return undefined;
    const start = place * this.digestBytes;
    return this.#digests.slice(start, start + this.digestBytes);
  }

  keep(node: number, version: number, digest: Uint8Array): void {
    const place = node % this.capacity;
    this.#owners[place] = this.#ownerOf(node);
    this.#versions[place] = version;
    this.#digests.set(digest, place * this.digestBytes);
  }

  forget(node: number): void {
    if (this.#isOwner(node)) this.#owners[node % this.capacity] = 0;
  }

  get size(): number {
    return this.#owners.reduce((size, owner) => size + (owner === 0 ? 0 : 1), 0);
  }

  #ownerOf(node: number): number {
    return Math.floor(node / this.capacity) + 1;
  }

  #isOwner(node: number): boolean {
    return this.#owners[node % this.capacity] === this.#ownerOf(node);
  }
}
