/**
 * The fs-verity digest of a file (Documentation/filesystems/fsverity.rst): the hash of a descriptor that
 * holds the root of a Merkle tree over the file's blocks. Computed as `fsverity enable` has it by default,
 * blocks of 4096 bytes and no salt, so that it is the one the kernel's IMA would ask for.
 */
import type { HashAlgorithm } from '../ports.js';

const BLOCK_BYTES = 4096;
const LOG_BLOCK_BYTES = 12;

/** struct fsverity_descriptor (include/uapi/linux/fsverity.h) */
const DESCRIPTOR = { bytes: 256, version: 1, dataSizeAt: 8, rootAt: 16 } as const;

/** FS_VERITY_HASH_ALG_* of the same header. */
const ALGORITHM_IDS: Readonly<Record<string, number>> = { sha256: 1, sha512: 2 };

/** One whole hash, of a block or a descriptor; the result may not be kept by whoever made it. */
export type HashBytes = (data: Uint8Array) => Uint8Array;

/** A hash of a file that is read from its beginning to its end. */
export interface VerityHasher {
  update(chunk: Uint8Array): void;
  digest(): Uint8Array;
}

/** Hashes of the blocks of the level below, themselves filling blocks. */
class Level {
  readonly block = new Uint8Array(BLOCK_BYTES);
  filledBytes = 0;
  /** Ever, of which those of the current block are still here. */
  hashes = 0;
}

/** Undefined for algorithms fs-verity does not have. */
export function createVerityHasher(
  algorithm: HashAlgorithm,
  hash: HashBytes,
): VerityHasher | undefined {
  const id = ALGORITHM_IDS[algorithm];
  return id === undefined ? undefined : new MerkleHasher(id, hash);
}

class MerkleHasher implements VerityHasher {
  /** Data that does not fill a block yet. */
  readonly #rest = new Uint8Array(BLOCK_BYTES);
  #restBytes = 0;
  #dataBytes = 0;
  readonly #levels: Level[] = [];

  constructor(
    private readonly algorithmId: number,
    private readonly hash: HashBytes,
  ) {}

  update(chunk: Uint8Array): void {
    this.#dataBytes += chunk.length;
    let at = 0;
    if (this.#restBytes > 0) {
      at = Math.min(chunk.length, BLOCK_BYTES - this.#restBytes);
      this.#rest.set(chunk.subarray(0, at), this.#restBytes);
      this.#restBytes += at;
      if (this.#restBytes < BLOCK_BYTES) return;
      this.#add(0, this.hash(this.#rest));
      this.#restBytes = 0;
    }
    for (; at + BLOCK_BYTES <= chunk.length; at += BLOCK_BYTES) {
      this.#add(0, this.hash(chunk.subarray(at, at + BLOCK_BYTES)));
    }
    this.#rest.set(chunk.subarray(at));
    this.#restBytes = chunk.length - at;
  }

  digest(): Uint8Array {
    const descriptor = new Uint8Array(DESCRIPTOR.bytes);
    descriptor.set([DESCRIPTOR.version, this.algorithmId, LOG_BLOCK_BYTES]);
    const dataSize = BigInt(this.#dataBytes);
    new DataView(descriptor.buffer).setBigUint64(DESCRIPTOR.dataSizeAt, dataSize, true);
    descriptor.set(this.#root(), DESCRIPTOR.rootAt);
    return this.hash(descriptor);
  }

  /** Nothing but zeros for an empty file. */
  #root(): Uint8Array {
    if (this.#restBytes > 0) {
      this.#rest.fill(0, this.#restBytes);
      this.#add(0, this.hash(this.#rest));
    }
    for (let depth = 0; ; depth += 1) {
      const level = this.#levels[depth];
      if (level === undefined) return new Uint8Array();
      // The hash of a level that is a single block is the root: no block is made of it alone.
      if (level.hashes === 1) return level.block.subarray(0, level.filledBytes);
      if (level.filledBytes > 0) this.#close(level, depth);
    }
  }

  #add(depth: number, blockHash: Uint8Array): void {
    const level = (this.#levels[depth] ??= new Level());
    level.block.set(blockHash, level.filledBytes);
    level.filledBytes += blockHash.length;
    level.hashes += 1;
    if (level.filledBytes === BLOCK_BYTES) this.#close(level, depth);
  }

  #close(level: Level, depth: number): void {
    level.block.fill(0, level.filledBytes);
    level.filledBytes = 0;
    this.#add(depth + 1, this.hash(level.block));
  }
}
