/**
 * Who else has a file open, for violations. close(2) returns before its RELEASE reaches us, so that a
 * handle seen may be one of the past: before it counts it gets a moment to be gone.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Addon, NativeTransport, OpenUpcall } from '../binding/addon-types.js';
import { isForWriting } from './open-flags.js';

export interface OtherOpensParts {
  readonly addon: Pick<Addon, 'isOpenElsewhere'>;
  readonly transport: Pick<NativeTransport, 'openCounts' | 'counters'>;
  /** What writers have open is open on the backing as long: a lease tells of them at once. */
  readonly leasesTell: boolean;
}

/** How long the RELEASE of a closed handle may be on its way, looked at after each step. */
const PATIENCE_MS = [1, 4, 15];
/** While handles are released at all, it may be behind others: the kernel sends so many at a time. */
const MOST_PATIENCE_MS = 150;
const STEP_MS = 15;

export class OtherOpens {
  #readers: Promise<boolean> | undefined;
  #writers: Promise<boolean> | undefined;

  constructor(
    private readonly upcall: Pick<OpenUpcall, 'node' | 'flags' | 'fd'>,
    private readonly parts: OtherOpensParts,
    /** Whether somebody can write to it whom no handle tells of. */
    private readonly file: { isWrittenElsewhere(): boolean },
  ) {}

  /** i_readcount is not zero; an open for writing asks. */
  hasReaders(): Promise<boolean> {
    this.#readers ??= this.#findReaders();
    return this.#readers;
  }

  /** i_writecount is not zero (inode_is_open_for_write), this open itself not counted. */
  hasWriters(): Promise<boolean> {
    this.#writers ??= this.#findWriters();
    return this.#writers;
  }

  /** The same without patience: false is certain. */
  mayHaveWriters(): boolean {
    return this.#counts().writers > this.#own() || this.file.isWrittenElsewhere();
  }

  /**
   * A reader's mapping outlives the handle that it was made by, where the kernel serves it. Whoever can
   * write besides hides it; then that one's own open was looked at.
   */
  async #isMapped(): Promise<boolean> {
    if (!this.#isOpenElsewhere()) return false;
    // It may have been a descriptor of ours.
    await sleep(STEP_MS);
    return this.#isOpenElsewhere();
  }

  #isOpenElsewhere(): boolean {
    const { addon } = this.parts;
    return !this.mayHaveWriters() && addon.isOpenElsewhere(this.upcall.fd) === true;
  }

  async #findReaders(): Promise<boolean> {
    const hasHandles = (): boolean => this.#counts().readers > 0;
    if (this.parts.leasesTell && hasHandles() && this.#isOpenElsewhere()) return true;
    return (await this.#outlasts(hasHandles)) || this.#isMapped();
  }

  async #findWriters(): Promise<boolean> {
    if (this.parts.leasesTell && this.file.isWrittenElsewhere()) return true;
    const hasHandles = await this.#outlasts(() => this.#counts().writers > this.#own());
    return hasHandles || this.file.isWrittenElsewhere();
  }

  #own(): number {
    return isForWriting(this.upcall.flags) ? 1 : 0;
  }

  #counts(): { readonly readers: number; readonly writers: number } {
    return this.parts.transport.openCounts(this.upcall.node);
  }

  /** Whether `holds` still holds after a while. */
  async #outlasts(holds: () => boolean): Promise<boolean> {
    for (const pause of PATIENCE_MS) {
      if (!holds()) return false;
      await sleep(pause);
    }
    let { handles } = this.parts.transport.counters();
    for (let waited = 0; waited < MOST_PATIENCE_MS; waited += STEP_MS) {
      if (!holds()) return false;
      await sleep(STEP_MS);
      const now = this.parts.transport.counters().handles;
      if (now >= handles) break;
      handles = now;
    }
    return holds();
  }
}
