import { createHash, hash } from 'node:crypto';
import { readSync } from 'node:fs';

import { createVerityHasher } from '../ima/digest/verity-digest.js';
import type { OpenedFile } from '../labels/opened-file.js';
import type { CrewSignals } from './crew-signals.js';

const CHUNK_BYTES = 1024 * 1024;

/** All had to stop while a file was read. */
export class Stopped extends Error {}

/** What is fed with a file's content. */
export interface Sink {
  update(chunk: Uint8Array): unknown;
}

/** Reads the rest of files, one after the other. */
export class FileContent {
  /** For the beginning of a file, when it is opened. */
  readonly beginning = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  private readonly chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);

  constructor(private readonly signals: CrewSignals) {}

  /** By OpenSSL's `algorithm`. */
  digest(file: OpenedFile, algorithm: string): Buffer {
    const { beginning, sizeBytes } = file;
    // One call is a third of what a Hash object takes, and most files are small.
    if (beginning.length === sizeBytes && sizeBytes < CHUNK_BYTES) {
      this.signals.addBytes(sizeBytes);
      return hash(algorithm, beginning, 'buffer');
    }
    const hasher = createHash(algorithm);
    this.feed(file, hasher);
    return hasher.digest();
  }

  /** That of fs-verity; undefined for algorithms it does not have. */
  verityDigest(file: OpenedFile, algorithm: string): Uint8Array | undefined {
    const hasher = createVerityHasher(algorithm, (bytes) => hash(algorithm, bytes, 'buffer'));
    if (hasher !== undefined) this.feed(file, hasher);
    return hasher?.digest();
  }

  /** All of it. */
  feed({ fd, beginning }: OpenedFile, sink: Sink): void {
    let position = 0;
    for (let chunk = beginning; chunk.length > 0; chunk = this.#read(fd, position)) {
      sink.update(chunk);
      this.signals.addBytes(chunk.length);
      position += chunk.length;
    }
  }

  #read(fd: number, position: number): Buffer {
    if (this.signals.isStopped) throw new Stopped();
    return this.chunk.subarray(0, readSync(fd, this.chunk, 0, CHUNK_BYTES, position));
  }
}
