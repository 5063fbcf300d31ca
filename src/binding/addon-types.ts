/**
 * The whole surface of native/: what the addon tells TypeScript (upcalls) and what TypeScript tells it.
 *
 * Native speaks of scopes (mount namespaces by their 64-bit id), nodes (inodes below the mount) and
 * verdicts; it knows no IMA. Every upcall that carries an `id` must be answered exactly once by the
 * matching `finish…` call: its caller sleeps in the kernel until then.
 */

/** Errors go to the kernel as positive errno numbers (os.constants.errno); 0 is success. */
export type ErrnoNumber = number;

/** How the transport is to be mounted. */
export interface TransportOptions {
  readonly backing: string;
  readonly mountpoint: string;
  /** Shown as the mount's source in /proc/self/mountinfo. */
  readonly source: string;
  /** mount(2) flags: MS_RDONLY 1, MS_NOSUID 2, MS_NODEV 4, MS_NOEXEC 8, MS_NOSYMFOLLOW 256. */
  readonly mountFlags: number;
  readonly passthrough: 'off' | 'ro' | 'rw';
  /** The name at the root below which the virtual tree lives, `.ima`. */
  readonly virtualName: string;
  /** fsuid and fsgid of the threads that write for callers; neither 0 nor the backing's resuid. */
  readonly anonymousId: number;
  /** Extended attributes whose change, and whose reading while a file is unsettled, TypeScript decides. */
  readonly guardedXattrs: readonly string[];
}

/** What the kernel and the backing file system offered; known once the transport runs. */
export interface TransportFacts {
  readonly protocolMinor: number;
  readonly passthrough: 'off' | 'ro' | 'rw';
  readonly stackDepth: number;
  readonly fileHandles: boolean;
  /** Whether F_SETLEASE speaks for the backing file system. */
  readonly leases: boolean;
  /** statfs(2) f_type of the backing, unsigned. */
  readonly fsMagic: number;
  /** Lower-case UUID of the backing file system, or undefined where the kernel has none. */
  readonly fsUuid: string | undefined;
  /** st_dev of the backing as major:minor. */
  readonly device: string;
  readonly readers: number;
}

/** Ids as in /proc/TID/status, all in the daemon's user namespace. */
export interface Credentials {
  readonly uid: number;
  readonly euid: number;
  readonly suid: number;
  readonly fsuid: number;
  readonly gid: number;
  readonly egid: number;
  readonly sgid: number;
  readonly fsgid: number;
  readonly capSetuid: boolean;
  readonly capSetgid: boolean;
  readonly capSysAdmin: boolean;
}

/** Who asks. While its upcall is unanswered the caller cannot vanish, so /proc/TID may be read. */
export interface Caller {
  /** Thread id in the daemon's pid namespace; never 0 (native refuses those itself). */
  readonly tid: number;
  /** Thread group leader. */
  readonly pid: number;
  /** 64-bit id of the mount namespace of the thread. */
  readonly scope: bigint;
  /** Its nsfs inode number, the name users see. */
  readonly scopeName: number;
  /** Mount namespace of the thread group leader where the caller is an io worker, else undefined. */
  readonly leaderScope: { readonly scope: bigint; readonly scopeName: number } | undefined;
  /** It is a thread of the kernel's own (PF_KTHREAD). */
  readonly kernelThread: boolean;
  /** What /proc/TID/status says. */
  readonly credentials: Credentials;
  /** fsuid and fsgid of the request itself. */
  readonly requestUid: number;
  readonly requestGid: number;
  /** The request's ids are not the thread's own, or the thread is an io worker: judge both sets. */
  readonly borrowed: boolean;
}

/** The backing file, as statx(2) saw it when the upcall was made. */
export interface FileFacts {
  readonly ino: bigint;
  /** major:minor */
  readonly device: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
}

/**
 * The state of a file's content and metadata: native gives a node a new number whenever size, mtime,
 * ctime or generation moved, so equal numbers mean an equal file.
 */
export type Version = number;

interface NodeUpcall {
  readonly id: number;
  readonly node: number;
  readonly caller: Caller;
  readonly file: FileFacts;
  readonly version: Version;
  /**
   * A further change could leave the same version: ctime is not yet one clock tick old, or the backing
   * is tmpfs, where stores through a mapping leave no trace.
   */
  readonly fresh: boolean;
  /** Path below the mount's root by the latest lookup, "/" first. */
  readonly path: string;
  /** Write handles open through the mount, this request's not counted. */
  readonly writers: number;
}

/** OPEN, CREATE or TMPFILE of a regular file that no remembered verdict covers. */
export interface OpenUpcall extends NodeUpcall {
  readonly kind: 'open';
  /** open(2) flags as the kernel sent them (O_ACCMODE, O_TRUNC, O_APPEND, O_DIRECT …). */
  readonly flags: number;
  /** The kernel opens it to execute it: __FMODE_EXEC, which no caller can forge. */
  readonly exec: boolean;
  /** An exec open right after one answered with `successor` equal to this file's path. */
  readonly succeeding: boolean;
  /** Made by this very request. */
  readonly created: boolean;
  /** Made without a name (TMPFILE). */
  readonly nameless: boolean;
  /** Made empty through the mount (CREATE, MKNOD, TMPFILE) and no writer has been settled since. */
  readonly isNew: boolean;
  /** O_RDONLY descriptor of the backing file, native's own, valid until the upcall is finished. */
  readonly fd: number;
  /** The guarded xattrs in the order of TransportOptions, undefined where the file has none. */
  readonly xattrs: readonly (Buffer | undefined)[];
  /** The first 4096 bytes at most of an ELF object, 64 of other files. */
  readonly head: Buffer;
}

/** FLUSH of the only write handle of a file without passthrough; finish() lets close(2) return. */
export interface FlushUpcall extends NodeUpcall {
  readonly kind: 'flush';
}

/** GETXATTR of a guarded name on an unsettled node, or its size is set by name; finish(0) makes native serve it. */
export interface XattrReadUpcall extends NodeUpcall {
  readonly kind: 'xattr-read';
  readonly name: string;
}

/** SETXATTR or REMOVEXATTR of a guarded name; finish(0) makes native do it. */
export interface XattrChangeUpcall extends NodeUpcall {
  readonly kind: 'xattr-change';
  readonly name: string;
  /** undefined: remove. */
  readonly value: Buffer | undefined;
}

/**
 * SETATTR of a file that has, or may have, writers, where that may matter to policies: done already, `file`
 * is what it has become; finish() answers it.
 */
export interface AttributesUpcall extends NodeUpcall {
  readonly kind: 'attributes';
  /** Its size was set. */
  readonly truncated: boolean;
}

/** A write handle of the node was released, or an allowed one never came to be. Not answered. */
export interface ReleasedUpcall {
  readonly kind: 'released';
  readonly node: number;
  /** Write handles still open through the mount. */
  readonly writers: number;
}

/** The kernel forgot these nodes: what TypeScript keeps of them can go. Not answered. */
export interface ForgottenUpcall {
  readonly kind: 'forgotten';
  readonly nodes: readonly number[];
}

/** An operation on the virtual tree. Node 0 as parent means the mount's root. */
export interface VirtualUpcall {
  readonly kind: 'virtual';
  readonly id: number;
  readonly op:
    | 'lookup'
    | 'getattr'
    | 'setattr'
    | 'readlink'
    | 'opendir'
    | 'readdir'
    | 'releasedir'
    | 'open'
    | 'read'
    | 'write'
    | 'flush'
    | 'release'
    | 'poll'
    | 'forget';
  /** Virtual node number as given out by the answer to a lookup; for lookup the parent. */
  readonly node: number;
  /** Absent (undefined) for release, releasedir and forget: the kernel names no caller there. */
  readonly caller: Caller | undefined;
  readonly name: string;
  /** As given by the answer to open and opendir. */
  readonly handle: number;
  readonly flags: number;
  readonly offset: number;
  readonly size: number;
  readonly data: Buffer | undefined;
  /** FUSE_POLL's kernel handle, to be given to notifyPoll. */
  readonly pollHandle: bigint;
  readonly pollNotify: boolean;
}

/** The transport ended: unmounted, or aborted with `error`. The last upcall of all. */
export interface EndedUpcall {
  readonly kind: 'ended';
  readonly error: string | undefined;
}

export type Upcall =
  | OpenUpcall
  | FlushUpcall
  | XattrReadUpcall
  | XattrChangeUpcall
  | AttributesUpcall
  | ReleasedUpcall
  | ForgottenUpcall
  | VirtualUpcall
  | EndedUpcall;

export interface OpenAnswer {
  readonly errno: ErrnoNumber;
  /**
   * Keep the verdict for further opens with the same key. Native drops it by itself if the file's
   * version or the scope's generation moved since the upcall, if there is a writer, or if the open
   * was for writing, created, borrowed or fresh.
   */
  readonly remember: boolean;
  /** Path below the mount's root of the file this thread is expected to exec-open next (an ELF interpreter). */
  readonly successor: string | undefined;
}

export interface VirtualAttributes {
  readonly node: number;
  /** st_mode with the type bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
}

export interface VirtualAnswer {
  readonly errno: ErrnoNumber;
  /** lookup, getattr, setattr */
  readonly attributes?: VirtualAttributes;
  /** open, opendir */
  readonly handle?: number;
  /** read: at most `size` bytes; readlink: the target. */
  readonly data?: Uint8Array;
  /** write: bytes taken. */
  readonly written?: number;
  /** readdir: all entries from `offset` on; native packs as many as fit, `offset` counts entries. */
  readonly entries?: readonly {
    readonly name: string;
    readonly node: number;
    readonly mode: number;
  }[];
  /** poll: revents. */
  readonly events?: number;
}

/** What native must know of a scope to remember verdicts for it. */
export interface ScopeFacts {
  /** Some policy that judges the scope looks at ids or capabilities: key on them. */
  readonly readCredentials: boolean;
  /** false: every open of the scope is an upcall. */
  readonly cacheable: boolean;
}

export interface TransportCounters {
  readonly requests: number;
  readonly opens: number;
  readonly remembered: number;
  readonly upcalls: number;
  readonly nodes: number;
  readonly handles: number;
  readonly backingIds: number;
  readonly descriptors: number;
  readonly verdicts: number;
  readonly verdictsDropped: number;
  readonly estale: number;
  readonly queued: number;
}

/** 'granted' comes with a descriptor that holds F_RDLCK on the backing file. */
export type LeaseAnswer =
  | { readonly state: 'granted'; readonly fd: number }
  | { readonly state: 'busy' }
  | { readonly state: 'unsupported' }
  | { readonly state: 'gone' };

export interface ProcessWalk {
  readonly processes: readonly ProcessFacts[];
  /** Nobody can have been missed: only then is absence worth anything. */
  readonly isComplete: boolean;
}

/** One process of /proc as seen by walkProcesses. */
export interface ProcessFacts {
  readonly pid: number;
  readonly parent: number;
  /** Field 22 of /proc/PID/stat. */
  readonly startTime: bigint;
  readonly scope: bigint;
  readonly scopeName: number;
  readonly userNamespace: number;
  readonly pidNamespace: number;
  /** The unified hierarchy's path, or the systemd/first v1 line's where there is none. */
  readonly cgroup: string;
  readonly uid: number;
}

export interface NamespaceOwner {
  /** nsfs inode of the user namespace owning the mount namespace. */
  readonly userNamespace: number;
  /** What uid and gid 0 in that user namespace are in the daemon's; undefined: not mapped. */
  readonly rootUid: number | undefined;
  readonly rootGid: number | undefined;
}

export interface NativeTransport {
  /** Mounts and starts the reader threads. Throws an Error with `code` (errno name) and `syscall`. */
  start(): TransportFacts;
  /** Up to `most` queued upcalls, namespaces in turn. Called when onWake said there are some. */
  takeUpcalls(most: number): Upcall[];
  finishOpen(id: number, answer: OpenAnswer): void;
  /** For flush, xattr-read and xattr-change: errno 0 lets native do the operation. */
  finish(id: number, errno: ErrnoNumber): void;
  finishVirtual(id: number, answer: VirtualAnswer): void;
  notifyPoll(pollHandle: bigint): void;

  /** Sets a scope's facts and moves its generation: verdicts and evaluations under way are void. */
  setScope(scope: bigint, facts: ScopeFacts): void;
  dropScope(scope: bigint): void;
  /** Forget every verdict of a node, in all scopes. */
  voidNode(node: number): void;

  /** Current version of a node after a fresh look at the backing file; undefined if it is gone. */
  version(node: number): Version | undefined;
  /** Handles of a node for reading alone and for writing, opens that are under way among them. */
  openCounts(node: number): { readonly readers: number; readonly writers: number };
  /** Try F_SETLEASE(F_RDLCK) on a new O_RDONLY descriptor. */
  takeLease(node: number): LeaseAnswer;
  /** Give up the lease and close its descriptor. */
  releaseLease(fd: number): void;
  /** A writer may have changed the node: opens go up until settled(). */
  setUnsettled(node: number, unsettled: boolean): void;
  /**
   * Resolve a path below the mount's root on the backing, never through a symlink (RESOLVE_BENEATH,
   * RESOLVE_NO_SYMLINKS, RESOLVE_NO_XDEV), for labelling: an O_RDONLY descriptor of a regular file,
   * its facts, and its node if it has one. Throws an Error with `code`.
   */
  openBacking(path: string): {
    fd: number;
    node: number | undefined;
    file: FileFacts;
    xattrs: (Buffer | undefined)[];
  };
  counters(): TransportCounters;
  /** umount2 (lazily if `detach`); the 'ended' upcall follows. Throws an Error with `code`. */
  unmount(detach: boolean): void;
}

/** A file that a caller named by path: all of the very descriptor that was read. */
export interface FileOfCaller {
  readonly content: Buffer;
  readonly file: FileFacts;
  /** Those that were asked for, in their order, undefined where the file has none. */
  readonly xattrs: readonly (Buffer | undefined)[];
  /** statfs(2) f_type, unsigned. */
  readonly fsMagic: number;
}

export interface VerityDigest {
  readonly algorithm: 'sha256' | 'sha512';
  readonly digest: Buffer;
}

/** An RSA or EC key for signatures over digests that were computed already, which node:crypto cannot verify. */
export interface NativePublicKey {
  readonly algorithm: 'rsa' | 'ec';
  /** Of the modulus, or of the curve's order. */
  readonly bits: number;
  /**
   * RSA: PKCS#1 v1.5 with the algorithm's DigestInfo; EC: ECDSA, the signature in DER. Takes any bytes:
   * what is no signature, no digest of that algorithm or no algorithm of OpenSSL's is false.
   */
  verify(opensslDigestName: string, digest: Uint8Array, signature: Uint8Array): boolean;
}

/** Descriptor, bytes read, st_dev, st_mode, size, mtime and ctime in nanoseconds. */
export type SnapshotFacts = BigInt64Array & { readonly length: 7 };

export interface Addon {
  readonly abi: number;
  createTransport(options: TransportOptions, onWake: () => void): NativeTransport;
  /**
   * The key of a SubjectPublicKeyInfo in DER. Throws an Error that says why if it is none, or is neither
   * RSA nor EC. Usable from any thread of Node.
   */
  publicKey(spki: Uint8Array): NativePublicKey;
  /** Whether the lease on fd still is F_RDLCK. Usable from any thread of Node. */
  leaseStands(fd: number): boolean;
  /** fsetxattr/fremovexattr(2) by descriptor; throws an Error with `code`. Usable from any thread. */
  setXattr(fd: number, name: string, value: Uint8Array | undefined): void;
  getXattr(fd: number, name: string): Buffer | undefined;
  /**
   * Opens a file (in `directory` if it is given, O_PATH will do) for reading, following no symlink; reads into `into` what fits, if it is a regular one;
   * the value of its attribute `name`, undefined where it has none. All by one call, as programs that go
   * through many small files spend their time on calls. `path` is latin1, a character for each byte.
   * Throws an Error with `code`. Usable from any thread.
   */
  openSnapshot(
    directory: number | undefined,
    path: string,
    name: string,
    into: Uint8Array,
    facts: SnapshotFacts,
  ): Buffer | undefined;
  /**
   * fsetxattr(2) on a snapshot's descriptor, if the file is as it was: 0. Else nothing is set: 1 if only
   * attributes changed, 2 if the content may have. No value: nothing is set in any case.
   */
  setXattrIfUnchanged(facts: SnapshotFacts, name: string, value: Uint8Array | undefined): 0 | 1 | 2;
  closeDescriptor(fd: number): void;
  /**
   * The digest that fs-verity keeps of the file behind a descriptor (not O_PATH); undefined where it is
   * not switched on for the file, or not known to its file system. Throws an Error with `code`. Usable
   * from any thread.
   */
  verityDigest(fd: number): VerityDigest | undefined;
  /**
   * Whether anybody can write to the file behind an O_RDONLY descriptor: a read lease is tried and given
   * up at once. Undefined where leases say nothing.
   */
  isBeingWritten(fd: number): boolean | undefined;
  /**
   * Whether the file behind an O_RDONLY descriptor is open by any other descriptor or mapping: a write
   * lease is tried and given up at once. Undefined where leases say nothing.
   */
  isOpenElsewhere(fd: number): boolean | undefined;
  /**
   * Makes the file if need be and locks it, flock(2): a descriptor that holds the lock until it is
   * closed. Throws EWOULDBLOCK where somebody else holds it.
   */
  lockFile(path: string): number;
  /** Mount namespace of a task; throws ENOENT/ESRCH if it is gone, EACCES if unreadable. */
  namespaceOf(tid: number | 'self'): { scope: bigint; scopeName: number };
  /** Mount namespace behind a path such as /run/netns-like bind or /proc/PID/ns/mnt. */
  namespaceAt(path: string): { scope: bigint; scopeName: number };
  /** Whether a mount namespace's id is never given to another one (Linux 6.11); else it is its inode number. */
  namespaceIdsAreUnique(): boolean;
  /** A descriptor that keeps the namespace behind a path alive; undefined if it is not the one of that id. */
  pinNamespace(path: string, scope: bigint): number | undefined;
  /** Whether the mount namespace still exists (listmount(2) by id), undefined where unknowable. */
  namespaceLives(scope: bigint): boolean | undefined;
  /** Owner of the mount namespace of a task (NS_GET_USERNS and its uid_map). */
  namespaceOwner(tid: number): NamespaceOwner;
  /** Whether the user namespace of `tid` is `userNamespace` or an ancestor of it. */
  isUserNamespaceAncestor(tid: number, ofMountNamespaceOf: number): boolean;
  /** Every readable process, on a thread of its own. */
  walkProcesses(): Promise<ProcessWalk>;
  /**
   * Policy by path: a helper process takes the root, namespaces and credentials of `tid`, opens
   * `path` O_PATH and reads at most `limit` bytes of a regular file; a file below our own mount is
   * read from the backing. `xattrs`: the names to be told of, 16 at most. Rejects with `code`: ETIMEDOUT
   * after `timeoutMs`.
   */
  readAsCaller(
    transport: NativeTransport,
    tid: number,
    path: string,
    limit: number,
    timeoutMs: number,
    xattrs: readonly string[],
  ): Promise<FileOfCaller>;
  /** sd_notify(3): sends to $NOTIFY_SOCKET, false where there is none. */
  notifySupervisor(message: string): boolean;
}
