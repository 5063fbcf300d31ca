/**
 * Native's side for unit tests: files are real temporary ones with a descriptor, so that reading them
 * works; versions, xattrs, leases and writers are what the test says.
 */
import { chownSync, closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LeaseBroken } from '../../src/base/lease-broken.js';
import type {
  Caller,
  LeaseAnswer,
  NativeTransport,
  OpenAnswer,
  OpenUpcall,
  ScopeFacts,
  TransportCounters,
  Upcall,
  VirtualAnswer,
} from '../../src/binding/addon-types.js';
import { createHasher } from '../../src/binding/hash-algorithms.js';
import type { HashOrder, XattrOrder } from '../../src/binding/hash-pool.js';
import { encodeXattr } from '../../src/ima/xattr/encode-xattr.js';

export const SYSTEM = { scope: 1n, scopeName: 1001 };

export interface FakeFile {
  readonly node: number;
  readonly path: string;
  readonly real: string;
  readonly fd: number;
  version: number;
  xattr: Buffer | undefined;
  uid: number;
  lease: 'granted' | 'busy' | 'unsupported' | 'gone';
  unsettled: boolean;
  /** Handles, opens under way among them. */
  readers: number;
  writers: number;
  isNew: boolean;
}

export class FakeTransport implements NativeTransport {
  readonly files = new Map<number, FakeFile>();
  /** Everything that was done, in order, for tests that look at the order. */
  readonly done: string[] = [];
  readonly scopes = new Map<bigint, ScopeFacts>();
  readonly answers = new Map<number, OpenAnswer | number | VirtualAnswer>();
  upcalls: Upcall[] = [];
  #leased = new Set<number>();
  /** Called in the middle of each hashing and each xattr write: what happens meanwhile. */
  meanwhile: (what: 'hash' | 'xattr', file: FakeFile) => void = () => undefined;
  #lastId = 0;

  constructor(private readonly directory: string) {}

  add(name: string, content: string, given: Partial<FakeFile> = {}): FakeFile {
    const node = this.files.size + 10;
    const real = join(this.directory, name);
    writeFileSync(real, content);
    const file: FakeFile = {
      node,
      path: `/${name}`,
      real,
      fd: openSync(real, 'r'),
      version: 1,
      xattr: undefined,
      uid: 1000,
      lease: 'granted',
      unsettled: false,
      readers: 0,
      writers: 0,
      isNew: false,
      ...given,
    };
    // What is read again by descriptor must say the same; needs root.
    chownSync(real, file.uid, 0);
    this.files.set(node, file);
    return file;
  }

  /** What a writer does: new content, a new version, the old security.ima. */
  rewrite(file: FakeFile, content: string): void {
    writeFileSync(file.real, content);
    file.version += 1;
  }

  /** The right security.ima for what the file holds. */
  label(file: FakeFile): Buffer {
    const hasher = createHasher('sha256');
    hasher?.update(readFileSync(file.real));
    return Buffer.from(
      encodeXattr({ algorithm: 'sha256', bytes: hasher?.digest() ?? new Uint8Array() }),
    );
  }

  open(file: FakeFile, caller: Caller, given: Partial<OpenUpcall> = {}): OpenUpcall {
    this.#lastId += 1;
    const content = readFileSync(file.real);
    return {
      kind: 'open',
      id: this.#lastId,
      node: file.node,
      caller,
      file: {
        ino: BigInt(file.node) * 100n,
        device: '8:1',
        mode: 0o100644,
        uid: file.uid,
        gid: 0,
        size: content.length,
      },
      version: file.version,
      fresh: false,
      path: file.path,
      writers: 0,
      flags: 0,
      exec: false,
      succeeding: false,
      nameless: false,
      created: false,
      isNew: file.isNew,
      fd: file.fd,
      xattrs: [file.xattr, undefined],
      head: content.subarray(0, 4096),
      ...given,
    };
  }

  close(): void {
    for (const { fd } of this.files.values()) closeSync(fd);
  }

  // The addon's part.
  readonly addon = {
    verityDigest: () => undefined,
    isBeingWritten: (fd: number): boolean | undefined => {
      const { lease, node } = this.#byFd(fd);
      this.done.push(`probe ${node} ${lease}`);
      return lease === 'unsupported' ? undefined : lease !== 'granted';
    },
    /** No file is mapped by anybody. */
    isOpenElsewhere: (): boolean | undefined => false,
    getXattr: (fd: number, name: string): Buffer | undefined =>
      name === 'security.ima' ? this.#byFd(fd).xattr : undefined,
    closeDescriptor: (): void => undefined,
  };

  // The hash pool's part.
  readonly pool = {
    digest: async ({ fd, algorithm, leased }: HashOrder): Promise<Uint8Array> => {
      const file = this.#byFd(fd);
      this.done.push(`hash ${file.path}${leased ? ' leased' : ''}`);
      const hasher = createHasher(algorithm);
      hasher?.update(readFileSync(file.real));
      this.meanwhile('hash', file);
      await Promise.resolve();
      if (leased && !this.#leased.has(fd)) throw new LeaseBroken();
      return hasher?.digest() ?? new Uint8Array();
    },
    writeXattr: async ({ fd, value, leased }: XattrOrder): Promise<void> => {
      const file = this.#byFd(fd);
      const before = file.xattr;
      file.xattr = Buffer.from(value);
      file.version += 1;
      this.done.push(`label ${file.path}`);
      this.meanwhile('xattr', file);
      await Promise.resolve();
      if (!leased || this.#leased.has(fd)) return;
      file.xattr = before;
      throw new LeaseBroken();
    },
  };

  breakLease(file: FakeFile): void {
    this.#leased.delete(file.fd);
    file.lease = 'busy';
  }

  get leasesHeld(): number {
    return this.#leased.size;
  }

  openCounts(node: number): { readers: number; writers: number } {
    const { readers, writers } = this.#byNode(node);
    return { readers, writers };
  }

  takeLease(node: number): LeaseAnswer {
    const { lease, fd } = this.#byNode(node);
    this.done.push(`lease ${node} ${lease}`);
    if (lease !== 'granted') return { state: lease };
    this.#leased.add(fd);
    return { state: 'granted', fd };
  }

  releaseLease(fd: number): void {
    this.#leased.delete(fd);
  }

  setUnsettled(node: number, unsettled: boolean): void {
    this.done.push(`${unsettled ? 'unsettled' : 'settled'} ${node}`);
    this.#byNode(node).unsettled = unsettled;
  }

  version(node: number): number | undefined {
    return this.files.get(node)?.version;
  }

  openBacking(path: string): ReturnType<NativeTransport['openBacking']> {
    const file = [...this.files.values()].find((known) => known.path === path);
    if (file === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
    const { fd, node, xattr, uid } = file;
    const facts = { ino: BigInt(node) * 100n, device: '8:1', mode: 0o100644, uid, gid: 0, size: 0 };
    return { fd, node, file: facts, xattrs: [xattr, undefined] };
  }

  takeUpcalls(most: number): Upcall[] {
    return this.upcalls.splice(0, most);
  }

  finishOpen(id: number, answer: OpenAnswer): void {
    this.answers.set(id, answer);
  }

  finish(id: number, errno: number): void {
    this.answers.set(id, errno);
  }

  finishVirtual(id: number, answer: VirtualAnswer): void {
    this.answers.set(id, answer);
  }

  setScope(scope: bigint, facts: ScopeFacts): void {
    this.scopes.set(scope, facts);
  }

  dropScope(scope: bigint): void {
    this.scopes.delete(scope);
  }

  start(): never {
    throw new Error('not in unit tests');
  }

  counters(): TransportCounters {
    const handles = [...this.files.values()].reduce(
      (sum, file) => sum + file.readers + file.writers,
      0,
    );
    return { handles } as TransportCounters;
  }

  voidNode(node: number): void {
    this.done.push(`void ${node}`);
  }
  notifyPoll(): void {}
  unmount(): void {}

  #byNode(node: number): FakeFile {
    const file = this.files.get(node);
    if (file === undefined) throw new Error(`no node ${node}`);
    return file;
  }

  #byFd(fd: number): FakeFile {
    const file = [...this.files.values()].find((known) => known.fd === fd);
    if (file === undefined) throw new Error(`no descriptor ${fd}`);
    return file;
  }
}

/** A caller in a namespace, root unless told otherwise. */
export const callerIn = (
  { scope, scopeName }: { scope: bigint; scopeName: number },
  given: Partial<Caller> & { uid?: number } = {},
): Caller => {
  const { uid = 0, ...rest } = given;
  return {
    tid: process.pid,
    pid: process.pid,
    scope,
    scopeName,
    leaderScope: undefined,
    kernelThread: false,
    credentials: {
      uid,
      euid: uid,
      suid: uid,
      fsuid: uid,
      gid: 0,
      egid: 0,
      sgid: 0,
      fsgid: 0,
      capSetuid: uid === 0,
      capSetgid: uid === 0,
      capSysAdmin: uid === 0,
    },
    requestUid: uid,
    requestGid: 0,
    borrowed: false,
    ...rest,
  };
};
