/**
 * Who else has a file open, for violations. close(2) returns before its RELEASE reaches us, so that a
 * handle seen may be one of the past: before it counts it gets a moment to be gone.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { NativeTransport, OpenUpcall } from '../binding/addon-types.js';
import { isForWriting } from './open-flags.js';

/** How long the RELEASE of a closed handle may be on its way, looked at after each step. */
const PATIENCE_MS = [1, 4, 15];

export class OtherOpens {
  constructor(
    private readonly upcall: Pick<OpenUpcall, 'node' | 'flags'>,
    private readonly transport: Pick<NativeTransport, 'openCounts'>,
    /** Whether somebody can write to it whom no handle tells of. */
    private readonly file: { isWrittenElsewhere(): boolean },
  ) {}

  /** i_readcount is not zero; an open for writing asks. */
  hasReaders(): Promise<boolean> {
    return this.#outlasts(() => this.#counts().readers > 0);
  }

  /** i_writecount is not zero (inode_is_open_for_write), this open itself not counted. */
  async hasWriters(): Promise<boolean> {
    const own = isForWriting(this.upcall.flags) ? 1 : 0;
    const hasHandles = await this.#outlasts(() => this.#counts().writers > own);
    return hasHandles || this.file.isWrittenElsewhere();
  }

  /** Whether `holds` still holds after a while. */
  async #outlasts(holds: () => boolean): Promise<boolean> {
    for (const pause of PATIENCE_MS) {
      if (!holds()) return false;
      await sleep(pause);
    }
    return holds();
  }

  #counts(): { readonly readers: number; readonly writers: number } {
    return this.transport.openCounts(this.upcall.node);
  }
}
