/**
 * Who else has a file open, for violations. close(2) returns before its RELEASE reaches us, so that a
 * handle seen may be one of the past: before it counts it gets a moment to be gone.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { NativeTransport, OpenUpcall } from '../binding/addon-types.js';
import type { Settling } from './settling.js';

export interface OtherOpensParts {
  readonly transport: Pick<NativeTransport, 'openCounts' | 'takeLease' | 'releaseLease'>;
  readonly settling: Pick<Settling, 'settle'>;
}

/** How long the RELEASE of a closed handle may be on its way, looked at after each step. */
const PATIENCE_MS = [1, 4, 15];

export class OtherOpens {
  constructor(
    private readonly upcall: OpenUpcall,
    private readonly parts: OtherOpensParts,
  ) {}

  /** For an open for writing: i_readcount is not zero. */
  hasReaders(): Promise<boolean> {
    return this.#outlasts(() => Promise.resolve(this.#counts().readers > 0));
  }

  /** For an open for reading: i_writecount is not zero (inode_is_open_for_write). */
  async hasWriters(): Promise<boolean> {
    const { node, fd } = this.upcall;
    const hasHandles = await this.#outlasts(async () => {
      await this.parts.settling.settle(node, fd);
      return this.#counts().writers > 0;
    });
    return hasHandles || this.#leaseIsRefused();
  }

  /** Whether `holds` still holds after a while. */
  async #outlasts(holds: () => Promise<boolean>): Promise<boolean> {
    for (const pause of PATIENCE_MS) {
      if (!(await holds())) return false;
      await sleep(pause);
    }
    return holds();
  }

  #counts(): { readonly readers: number; readonly writers: number } {
    return this.parts.transport.openCounts(this.upcall.node);
  }

  /** A writable mapping whose handle is closed, or a writer behind the mount. */
  #leaseIsRefused(): boolean {
    const lease = this.parts.transport.takeLease(this.upcall.node);
    if (lease.state === 'granted') this.parts.transport.releaseLease(lease.fd);
    return lease.state === 'busy';
  }
}
