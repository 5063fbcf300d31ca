import { createHash, hash } from 'node:crypto';
import { readSync } from 'node:fs';

import { createVerityHasher } from '../ima/digest/verity-digest.js';
import type { CrewSignals } from './crew-signals.js';
import type { OpenedFile } from './opened-file.js';

const CHUNK_BYTES = 1024 * 1024;

/** All had to stop while a file was read. */
export class Stopped extends Error {}

/** What is fed with a file's content. */
export interface Sink {
  update(chunk: Uint8Array): unknown;
}

/** Reads files, one after the other, into a buffer that is used again and again. */
export class FileContent {
  private readonly chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);

  constructor(private readonly signals: CrewSignals) {}

  /** By OpenSSL's `algorithm`. */
  digest(file: OpenedFile, algorithm: string): Buffer {
    const first = this.#read(file, 0);
    // One call is a third of what a Hash object takes, and most files are small.
    if (first.length < CHUNK_BYTES && first.length === file.sizeBytes) {
      return hash(algorithm, first, 'buffer');
    }
    const hasher = createHash(algorithm).update(first);
    this.#feedFrom(file, first.length, hasher);
    return hasher.digest();
  }

  /** That of fs-verity; undefined for algorithms it does not have. */
  verityDigest(file: OpenedFile, algorithm: string): Uint8Array | undefined {
    const hasher = createVerityHasher(algorithm, (bytes) => hash(algorithm, bytes, 'buffer'));
    if (hasher !== undefined) this.feed(file, hasher);
    return hasher?.digest();
  }

  /** All of it. */
  feed(file: OpenedFile, sink: Sink): void {
    this.#feedFrom(file, 0, sink);
  }

  #feedFrom(file: OpenedFile, begin: number, sink: Sink): void {
    for (let position = begin; ; ) {
      const chunk = this.#read(file, position);
      if (chunk.length === 0) return;
      sink.update(chunk);
      position += chunk.length;
    }
  }

  #read({ fd }: OpenedFile, position: number): Buffer {
    if (this.signals.isStopped) throw new Stopped();
    const bytes = readSync(fd, this.chunk, 0, CHUNK_BYTES, position);
    this.signals.addBytes(bytes);
    return this.chunk.subarray(0, bytes);
  }
}
