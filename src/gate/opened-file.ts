/** The file of one request as policies see it (the ImaFile port), on native's descriptor. */
import { fstat, read } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { FileMoved } from '../base/file-moved.js';
import type { Addon, NativeTransport, OpenUpcall } from '../binding/addon-types.js';
import type { HashPool } from '../binding/hash-pool.js';
import type {
  AppendedSignature,
  Digest,
  HashAlgorithm,
  ImaFile,
  ObjectFacts,
} from '../ima/ports.js';
import { readAppendedSignature } from './appended-signature.js';
import type { DigestCache } from './digest-cache.js';
import { OpenedObject } from './opened-object.js';

export const IMA_XATTR = 'security.ima';

/** What native asks about, in the order of an open's `xattrs`. */
export const GUARDED_XATTRS: readonly string[] = [IMA_XATTR, 'security.evm'];

/** More than a tick of the coarse clock that stamps files (1/HZ s) where no finer one does. */
const LONGEST_TICK_MS = 10;

/** How often, and how far apart, a mapping must be seen to be believed. */
const MAPPING_LOOKS = 5;
const MAPPING_PAUSE_MS = 5;

/** Bytes native sends along with an open. */
const HEAD_BYTES = 4096;

const fstatAsync = promisify(fstat);
const readAsync = promisify(read);

export interface OpenedFileParts {
  readonly addon: Pick<Addon, 'getXattr' | 'isBeingWritten' | 'verityDigest'>;
  readonly transport: Pick<
    NativeTransport,
    'version' | 'takeLease' | 'releaseLease' | 'openCounts'
  >;
  readonly pool: Pick<HashPool, 'digest' | 'writeXattr'>;
  readonly digests: DigestCache;
  /** Where the security module keeps labels of files; undefined where there is none. */
  readonly labelXattr: string | undefined;
  /** What policy conditions know of the backing file system. */
  readonly fileSystem: Pick<ObjectFacts, 'fsMagic' | 'fsName' | 'fsSubtype' | 'fsUuid'>;
}

/** One state of a file: what is judged. */
interface State {
  readonly version: number;
  readonly fresh: boolean;
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  readonly sizeBytes: number;
  readonly imaXattr: Uint8Array | undefined;
  readonly isNew: boolean;
  readonly head: Uint8Array;
}

export class OpenedFile implements ImaFile {
  /** Digests of this state, by algorithm, so that several judges and hooks read the file once. */
  readonly #digests = new Map<HashAlgorithm, Promise<Uint8Array>>();
  #version: number;
  #imaXattr: Uint8Array | undefined;
  #hasMoved = false;
  /** The version at which a lease said last that nobody writes. */
  #unwrittenVersion = -1;
  /** Whether the policy that is asked now may have security.ima written; set before asking it. */
  mayFix = false;
  readonly object: ObjectFacts;
  /** What is read of it is taken although it changed meanwhile; else FileMoved. */
  acceptsMove = false;
  /** Whether the namespace that it is asked for has a writer of its own; set before asking it. */
  hasOwnWriter = false;

  private constructor(
    private readonly upcall: OpenUpcall,
    private readonly state: State,
    /** A writer is or may be there: through a mapping it changes the file without a new version. */
    private hasWriter: boolean,
    private readonly parts: OpenedFileParts,
  ) {
    this.#version = state.version;
    this.#imaXattr = state.imaXattr;
    const { uid, gid } = state;
    this.object = new OpenedObject({ uid, gid, ...parts.fileSystem }, () => this.#readLabel());
  }

  #readLabel(): string | undefined {
    const { labelXattr, addon } = this.parts;
    const label = labelXattr && addon.getXattr(this.upcall.fd, labelXattr);
    return label ? String(label).replace(/\0+$/, '') : undefined;
  }

  /** As native saw it when it asked. */
  static asSent(upcall: OpenUpcall, hasWriter: boolean, parts: OpenedFileParts): OpenedFile {
    const { version, fresh, file, xattrs, head } = upcall;
    const { uid, gid, mode, size: sizeBytes } = file;
    const isNew = upcall.isNew || upcall.created;
    const state = { version, fresh, uid, gid, mode, sizeBytes, imaXattr: xattrs[0], isNew, head };
    return new OpenedFile(upcall, state, hasWriter, parts);
  }

  /**
   * As it is now, because it changed since: settling writes security.ima and ends a file's being new.
   * Rejects with ESTALE if it is gone.
   */
  static async asNow(
    upcall: OpenUpcall,
    { hasWriter, isNew }: { readonly hasWriter: boolean; readonly isNew: boolean },
    parts: OpenedFileParts,
  ): Promise<OpenedFile> {
    const { node, fd } = upcall;
    const version = parts.transport.version(node);
    if (version === undefined)
      throw Object.assign(new Error('the file is gone'), { code: 'ESTALE' });
    const imaXattr = parts.addon.getXattr(fd, IMA_XATTR);
    const { uid, gid, mode, size: sizeBytes, ctimeMs } = await fstatAsync(fd);
    // Native found stores that leave no trace, or a change in this tick: what is now is no older.
    const fresh = upcall.fresh || Date.now() - ctimeMs <= LONGEST_TICK_MS;
    const { buffer, bytesRead } = await readAsync(fd, Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    const head = buffer.subarray(0, bytesRead);
    const state = { version, fresh, uid, gid, mode, sizeBytes, imaXattr, isNew, head };
    return new OpenedFile(upcall, state, hasWriter, parts);
  }

  get node(): number {
    return this.upcall.node;
  }

  get version(): number {
    return this.#version;
  }

  get mode(): number {
    return this.state.mode;
  }

  get imaXattr(): Uint8Array | undefined {
    return this.#imaXattr;
  }

  xattr(name: string): Uint8Array | undefined {
    return this.parts.addon.getXattr(this.upcall.fd, name);
  }

  /**
   * IMA_NEW_FILE lasts while its writer has it open. What another namespace wrote into it, or who
   * knows who behind the mount, is no new file but one without a label.
   */
  get isNew(): boolean {
    return this.state.isNew && (this.hasOwnWriter || this.sizeBytes === 0);
  }

  get isCreated(): boolean {
    return this.upcall.created;
  }

  get isUnopened(): boolean {
    return !this.upcall.created && this.upcall.writers === 0 && this.sizeBytes === 0;
  }

  /** Made empty, and no writer has been settled since. */
  get isMarkedNew(): boolean {
    return this.state.isNew;
  }

  get sizeBytes(): number {
    return this.state.sizeBytes;
  }

  get head(): Uint8Array {
    return this.state.head;
  }

  /** Whoever changes it within this tick leaves the version as it is. */
  get isFresh(): boolean {
    return this.state.fresh;
  }

  /** What is found out about this version may be used for it again. */
  get mayKeep(): boolean {
    return !this.#hasMoved && !this.hasWriter;
  }

  /** A writable mapping whose handle is closed, or a writer behind the mount: a lease is refused. */
  isWrittenElsewhere(): boolean {
    return !this.#isElsewhere() && this.#leaseIsRefused();
  }

  /** Settling has read this version a moment ago, under a lease. */
  know({ algorithm, bytes }: Digest): void {
    this.#digests.set(algorithm, Promise.resolve(bytes));
  }

  digest(algorithm: HashAlgorithm): Promise<Uint8Array> {
    const known = this.#digests.get(algorithm);
    if (known !== undefined) return known;
    const digest = this.#collect(algorithm);
    this.#digests.set(algorithm, digest);
    return digest;
  }

  async verityDigest(preferred: HashAlgorithm): Promise<Digest> {
    const kept = this.parts.addon.verityDigest(this.upcall.fd);
    if (kept !== undefined) return { algorithm: kept.algorithm, bytes: kept.digest };
    const algorithm = preferred === 'sha512' ? 'sha512' : 'sha256';
    return { algorithm, bytes: await this.digest(`verity:${algorithm}`) };
  }

  appendedSignature(): Promise<AppendedSignature | undefined> {
    const { node, fd, caller } = this.upcall;
    return readAppendedSignature(fd, this.sizeBytes, (algorithm, sizeBytes) => {
      const order = { namespace: caller.scope, node, version: this.#version, fd };
      return this.parts.pool.digest({
        ...order,
        algorithm,
        sizeBytes,
        shared: false,
        leased: false,
      });
    });
  }

  /**
   * While handles are open for writing, nobody says whether they are mapped too. One whose RELEASE has come,
   * or which is only being opened, looks like a mapping until the kernel is done with it. Rejects with
   * FileMoved where the file changed since it was judged.
   */
  async isMappedForWriting(): Promise<boolean> {
    for (let look = 1; look <= MAPPING_LOOKS; look += 1) {
      if (this.#isElsewhere() && !this.acceptsMove) throw new FileMoved();
      const { writers } = this.parts.transport.openCounts(this.node);
      if (writers > 0) return false;
      if (!this.#leaseIsRefused()) {
        if (look === 1 || this.acceptsMove) return look > 1;
        // What stored through it since the file was read may have left the version as it was.
        throw new FileMoved();
      }
      await sleep(MAPPING_PAUSE_MS);
    }
    return true;
  }

  async writeImaXattr(value: Uint8Array): Promise<boolean> {
    if (!this.mayFix || this.#isElsewhere()) return false;
    const { node, fd, caller } = this.upcall;
    const order = { namespace: caller.scope, fd, name: IMA_XATTR, value, leased: false };
    await this.parts.pool.writeXattr(order);
    // Its ctime moved with it: a new version of the same content.
    this.#version = this.parts.transport.version(node) ?? -1;
    this.#imaXattr = value;
    return true;
  }

  async #collect(algorithm: HashAlgorithm): Promise<Uint8Array> {
    const { node, fd, caller } = this.upcall;
    const { digests, pool } = this.parts;
    const version = this.#version;
    const cached = this.#isReliable() ? digests.find(node, version, algorithm) : undefined;
    if (cached !== undefined) return cached;
    if (this.#unwrittenVersion !== version) this.#lookForWriter();
    const order = { namespace: caller.scope, node, algorithm, fd, leased: false };
    const shared = this.#isReliable();
    const bytes = await pool.digest({ ...order, version: this.#version, shared });
    if (!this.#isElsewhere()) {
      this.#lookForWriter();
    } else {
      if (!this.acceptsMove) throw new FileMoved();
      this.#hasMoved = true;
    }
    if (this.mayKeep && this.#isReliable()) digests.keep(node, version, algorithm, bytes);
    return bytes;
  }

  #isReliable(): boolean {
    return !this.state.fresh && !this.hasWriter;
  }

  /** Writers behind the mount are known by nothing but a lease that is refused. */
  #lookForWriter(): void {
    if (!this.hasWriter && !this.#isElsewhere()) this.#leaseIsRefused();
  }

  #leaseIsRefused(): boolean {
    const { addon, transport } = this.parts;
    if (addon.isBeingWritten(this.upcall.fd) !== true) {
      this.#unwrittenVersion = this.#version;
      return false;
    }
    const lease = transport.takeLease(this.upcall.node);
    if (lease.state === 'granted') transport.releaseLease(lease.fd);
    if (lease.state !== 'busy' && lease.state !== 'gone') return false;
    this.hasWriter = true;
    // Native gives a file with such a writer a new version; it is still the one judged.
    this.#version = transport.version(this.upcall.node) ?? -1;
    return true;
  }

  /** The file is at another version than the one judged. */
  #isElsewhere(): boolean {
    return this.parts.transport.version(this.upcall.node) !== this.#version;
  }
}
