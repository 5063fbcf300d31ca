/**
 * Writers are settled, not guessed (DESIGN section 3). A file that was opened for writing is unsettled
 * until a lease proves that no writer and no writable mapping is left; then it is hashed and labelled
 * under that lease. Before any open or reading of security.ima is answered, it is tried.
 */
import { EventEmitter, once } from 'node:events';
import { LeaseBroken } from '../base/lease-broken.js';
import type { Log } from '../base/log.js';
import type { Addon, NativeTransport, Version } from '../binding/addon-types.js';
import type { LeftFile } from '../ima/check-last-writer.js';
import type { Digest } from '../ima/ports.js';
import type { Journal } from './journal.js';
import { type LabelWrittenParts, labelWritten } from './label-written.js';
import { addWriter, newlyUnsettled, type Unsettled, type WritingOpen } from './unsettled.js';

export type Settled =
  /** There was nothing to settle. */
  | { readonly state: 'clean' }
  /** Its writers have ended; `digest`: what was hashed for the label, `version`: what it is now. */
  | {
      readonly state: 'settled';
      readonly digest: Digest | undefined;
      readonly version: Version | undefined;
    }
  /** A writer is still there. */
  | { readonly state: 'busy' };

export interface SettlingParts extends LabelWrittenParts {
  readonly addon: Pick<Addon, 'getXattr' | 'closeDescriptor'>;
  readonly transport: Pick<
    NativeTransport,
    'takeLease' | 'releaseLease' | 'setUnsettled' | 'version' | 'openBacking'
  >;
  readonly journal: Pick<Journal, 'add' | 'remove'>;
  /** The last writer of the node ended: what is kept of it, for whichever namespace, holds no more. */
  readonly ended: (node: number, left: LeftFile | undefined) => void;
  /** Nobody could write to the node a moment ago: a period of writers is over. */
  readonly writersEnded: (node: number, keepsResults: boolean) => void;
  readonly log: Log;
}

/** How often files without an open of their own are tried, and how many of them at once. */
const SWEEP_MS = 1000;
const SWEEP_FILES = 256;

/** No namespace has this id. */
const NOBODYS_SCOPE = 0n;

/** How long the release of a closed handle may be on its way. */
const RELEASE_GRACE_MS = 20;

export class Settling {
  readonly #unsettled = new Map<number, Unsettled>();
  /** One attempt at a time for each node: whoever comes meanwhile waits for it. */
  readonly #attempts = new Map<number, Promise<Settled>>();
  readonly #released = new EventEmitter().setMaxListeners(0);
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly parts: SettlingParts) {}

  start(): void {
    this.#timer = setInterval(() => this.#sweep(), SWEEP_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Paths of files whose writers have not ended yet. */
  paths(): string[] {
    return [...this.#unsettled.values()].map(({ path }) => path);
  }

  /**
   * There are writers, and all of them belong to this namespace. Where nothing changed since nobody could
   * write, a handle may be still being released, and nobody's writing is under way.
   */
  writersOwn(node: number, scope: bigint): boolean {
    const record = this.#unsettled.get(node);
    if (record === undefined || ![...record.scopes].every((id) => id === scope)) return false;
    const { endedVersion } = record;
    return endedVersion === undefined || endedVersion !== this.parts.transport.version(node);
  }

  /** The version that the first of them found, where writers are there and all of this namespace. */
  writersSince(node: number, scope: bigint): number | undefined {
    return this.writersOwn(node, scope) ? this.#unsettled.get(node)?.versionBefore : undefined;
  }

  /** Somebody in this namespace is, or may be, writing to it. */
  hasWriterOf(node: number, scope: bigint): boolean {
    return this.#unsettled.get(node)?.scopes.has(scope) === true;
  }

  /**
   * No writer is of this namespace any more, and its id may become another one's. Who still holds a
   * descriptor that was opened there is a stranger to all.
   */
  scopeEnded(scope: bigint): void {
    for (const { scopes } of this.#unsettled.values()) {
      if (scopes.delete(scope)) scopes.add(NOBODYS_SCOPE);
    }
  }

  /**
   * Notes an allowed open for writing, in the journal too, to be answered within the same turn of the
   * event loop. Waits until no lease of ours is held. Rejects if the journal cannot be written.
   */
  async begin(writing: WritingOpen): Promise<void> {
    const { node, file, path } = writing.upcall;
    while (this.#attempts.has(node)) await this.#attempts.get(node);
    if (writing.wantsLabel) this.parts.journal.add(file.ino, path);
    const record = this.#unsettled.get(node) ?? newlyUnsettled(writing.upcall);
    addWriter(record, writing);
    this.#unsettled.set(node, record);
    this.parts.transport.setUnsettled(node, true);
  }

  /** Tries to settle the node. `fd`: a descriptor of it that may be read, if the caller has one. */
  settle(node: number, fd?: number): Promise<Settled> {
    const underWay = this.#attempts.get(node);
    if (underWay !== undefined) return underWay;
    const record = this.#unsettled.get(node);
    if (record === undefined) return Promise.resolve({ state: 'clean' });
    const attempt = this.#attempt(record, fd).finally(() => this.#attempts.delete(node));
    this.#attempts.set(node, attempt);
    return attempt;
  }

  /** Where there are no leases: the only write handle is being closed, so label what is there. */
  async flushed(node: number): Promise<void> {
    const record = this.#unsettled.get(node);
    if (record === undefined) return;
    while (this.#attempts.has(node)) await this.#attempts.get(node);
    const attempt = this.#flush(record).finally(() => this.#attempts.delete(node));
    this.#attempts.set(node, attempt);
    await attempt;
  }

  /** One write handle of the node was released, or an allowed open for writing came to nothing. */
  released(node: number): void {
    const record = this.#unsettled.get(node);
    if (record === undefined) return;
    record.writers = Math.max(0, record.writers - 1);
    if (record.writers === 0) this.#settleInBackground(node);
    this.#released.emit(String(node));
  }

  /**
   * As settle, but where a writer seems to be there waits a moment for the release of its handle:
   * close(2) returns before its RELEASE reaches us.
   */
  async settlePatiently(node: number, fd?: number): Promise<Settled> {
    const settled = await this.settle(node, fd);
    if (settled.state !== 'busy') return settled;
    await this.#nextRelease(node);
    return this.settle(node, fd);
  }

  /**
   * Its security.ima was set by somebody with the right to do so, or is right: what a crash left
   * unsettled of it is mended.
   */
  vouched(node: number | undefined, ino: bigint): void {
    const record = node === undefined ? undefined : this.#unsettled.get(node);
    if (record?.isJournalled !== true) this.parts.journal.remove(ino);
  }

  async #nextRelease(node: number): Promise<void> {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), RELEASE_GRACE_MS);
    // Rejects when the time is up, which is as good.
    await once(this.#released, String(node), { signal: stop.signal }).catch(() => undefined);
    clearTimeout(timer);
  }

  async #attempt(record: Unsettled, fd: number | undefined): Promise<Settled> {
    const lease = this.parts.transport.takeLease(record.node);
    switch (lease.state) {
      case 'granted':
        try {
          return await this.#end(record, lease.fd, true);
        } finally {
          this.parts.transport.releaseLease(lease.fd);
        }
      case 'busy':
        return { state: 'busy' };
      case 'unsupported':
        if (record.writers > 0) return { state: 'busy' };
        return this.#withDescriptor(record, fd, (known) => this.#end(record, known, false));
      case 'gone':
        this.#clear(record, undefined);
        return { state: 'settled', digest: undefined, version: undefined };
    }
  }

  #flush(record: Unsettled): Promise<Settled> {
    return this.#withDescriptor(record, undefined, async (fd) => {
      if ((await this.#label(record, fd, false)).isDone) {
        record.labelledVersion = this.parts.transport.version(record.node);
      }
      return { state: 'busy' };
    });
  }

  /**
   * No writer is there at this moment: labels the file if that is due. Its writers are forgotten once
   * all their handles are released: until then one of them may not have been opened yet, for the
   * kernel opens the file after our answer.
   */
  async #end(record: Unsettled, fd: number, leased: boolean): Promise<Settled> {
    const version = this.parts.transport.version(record.node);
    // A writer whose handle is about to be opened has written nothing: what let him in still stands.
    const isUnwritten = version === record.versionBefore && !record.wasFresh;
    this.parts.writersEnded(record.node, record.writers > 0 && isUnwritten);
    let digest: Digest | undefined;
    if (record.labelledVersion === undefined || record.labelledVersion !== version) {
      const labelled = await this.#label(record, fd, leased);
      if (!labelled.isDone) return { state: 'busy' };
      ({ digest } = labelled);
    }
    const isStill = record.labelledVersion !== undefined && record.labelledVersion === version;
    const content = isStill ? record.labelledContent : digest;
    record.labelledContent = digest ?? record.labelledContent;
    if (record.writers === 0) {
      this.#clear(record, version, content !== undefined);
    } else {
      record.labelledVersion = this.parts.transport.version(record.node);
      record.endedVersion = record.labelledVersion;
    }
    // A mapping's stores may leave the version as it is; here a lease says that there are none.
    return { state: 'settled', digest, version: this.parts.transport.version(record.node) };
  }

  /** `isDone` is false if a writer came. */
  async #label(
    record: Unsettled,
    fd: number,
    leased: boolean,
  ): Promise<{ readonly isDone: boolean; readonly digest: Digest | undefined }> {
    try {
      return { isDone: true, digest: await labelWritten(record, fd, leased, this.parts) };
    } catch (error) {
      if (error instanceof LeaseBroken) return { isDone: false, digest: undefined };
      // It stays as it is and fails with invalid-hash: nothing vouches for what could not be read.
      this.parts.log.warn({ err: error, path: record.path }, 'a file could not be labelled');
      return { isDone: true, digest: undefined };
    }
  }

  /** `version`: at which nobody could write any more; undefined: the file is gone. */
  #clear(record: Unsettled, version: Version | undefined, isLabelled = false): void {
    const { node } = record;
    this.#unsettled.delete(node);
    // Stores through a mapping may have moved no version: from here on it is another one in any case.
    this.parts.transport.setUnsettled(node, false);
    const now = this.parts.transport.version(node);
    const isKnown = version !== undefined && now !== undefined;
    this.parts.ended(node, isKnown ? { version, now, isLabelled } : undefined);
    if (record.isJournalled) this.parts.journal.remove(record.ino);
  }

  async #withDescriptor(
    record: Unsettled,
    fd: number | undefined,
    use: (fd: number) => Promise<Settled>,
  ): Promise<Settled> {
    if (fd !== undefined) return use(fd);
    let opened: ReturnType<NativeTransport['openBacking']>;
    try {
      opened = this.parts.transport.openBacking(record.path);
    } catch {
      // Renamed meanwhile: the next open brings a descriptor, or the sweep the new path.
      return { state: 'busy' };
    }
    try {
      return opened.node === record.node ? await use(opened.fd) : { state: 'busy' };
    } finally {
      this.parts.addon.closeDescriptor(opened.fd);
    }
  }

  /** Files without a handle that a mapping still writes to, or whose settling failed. */
  #sweep(): void {
    for (const record of [...this.#unsettled.values()].slice(0, SWEEP_FILES)) {
      // Those that stay go to the end of the row.
      this.#unsettled.delete(record.node);
      this.#unsettled.set(record.node, record);
      if (record.writers === 0) this.#settleInBackground(record.node);
    }
  }

  #settleInBackground(node: number): void {
    this.settle(node).catch((error: unknown) => {
      this.parts.log.error({ err: error, node }, 'settling failed');
    });
  }
}
