/**
 * Digests of file versions, shared by all namespaces (DESIGN section 4, Status). Kept are only those
 * that were read when the version could be relied on: not fresh, and the same after the last byte.
 */

/** Digests kept of each algorithm, at 140 bytes each: what is forgotten is read again. */
const CAPACITY = 50_000;

export class DigestCache {
  /** For each algorithm: node -> version, a space, and the digest's bytes as latin1. One string is small. */
  readonly #digests = new Map<string, Map<number, string>>();

  constructor(private readonly capacity = CAPACITY) {}

  find(node: number, version: number, algorithm: string): Uint8Array | undefined {
    const known = this.#digests.get(algorithm)?.get(node);
    const prefix = `${version} `;
    return known?.startsWith(prefix)
      ? Buffer.from(known.slice(prefix.length), 'latin1')
      : undefined;
  }

  /** The caller vouches for it: read from a version that was not fresh and still stood afterwards. */
  keep(node: number, version: number, algorithm: string, digest: Uint8Array): void {
    const digests = this.#digests.get(algorithm) ?? new Map<number, string>();
    this.#digests.set(algorithm, digests);
    digests.delete(node);
    digests.set(node, `${version} ${Buffer.from(digest).toString('latin1')}`);
    if (digests.size > this.capacity) {
      // The one kept first: nodes that are in use come again.
      for (const oldest of digests.keys()) {
        digests.delete(oldest);
        break;
      }
    }
  }

  /** The kernel forgot these inodes: their numbers may come back as other files. */
  forget(nodes: readonly number[]): void {
    for (const digests of this.#digests.values()) for (const node of nodes) digests.delete(node);
  }

  get size(): number {
    let size = 0;
    for (const digests of this.#digests.values()) size += digests.size;
    return size;
  }
}
