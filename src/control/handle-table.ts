/**
 * Open files and directories of the control tree. Operations on one open are done in turn: two writers
 * of one descriptor, or a FLUSH that comes while a policy file is still being read, do not mix.
 */
import { type ErrnoName, errnoNumber } from '../base/errno.js';
import type { Caller, VirtualAnswer, VirtualUpcall } from '../binding/addon-types.js';
import type { Namespace } from '../namespaces/namespace.js';
import type { VirtualFile } from './virtual-file.js';

/** poll(2) */
const POLLIN = 0x001;
const POLLOUT = 0x004;
const POLLHUP = 0x010;
const POLLRDNORM = 0x040;
const POLLWRNORM = 0x100;
const ALWAYS_READY = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;

type Listing = NonNullable<VirtualAnswer['entries']>;

/** Open files and directories of one namespace's root, and of all namespaces one uid is root of. */
const NAMESPACE_HANDLES = 256;
const OWNER_HANDLES = 1024;

interface OpenHandle {
  readonly file: VirtualFile;
  /** As decided at OPEN, whoever uses the descriptor later. */
  readonly namespace: Namespace;
  /** The operation under way; never rejects. */
  turn: Promise<unknown>;
  /** Somebody polls and wants to be told of the next change. */
  waiting: bigint | undefined;
  unwatch: (() => void) | undefined;
}

const BAD_HANDLE: VirtualAnswer = { errno: errnoNumber('EBADF') };

export class HandleTable {
  readonly #files = new Map<number, OpenHandle>();
  readonly #listings = new Map<number, Listing>();
  /** Who holds each handle; those of the system's root are not counted. */
  readonly #holders = new Map<number, Namespace>();
  readonly #ofNamespace = new Map<bigint, number>();
  readonly #ofOwner = new Map<number | undefined, number>();
  #next = 1;

  constructor(
    private readonly notifyPoll: (pollHandle: bigint) => void,
    /** Of a namespace that ended there is nothing to read or write (reference/ima.md 1.3). */
    private readonly hasEnded: (namespace: Namespace) => boolean,
  ) {}

  /** Whether the root of `holder` may open one more; what a handle holds on to is the daemon's memory. */
  hasRoom(holder: Namespace): boolean {
    return (
      holder.isSystem ||
      ((this.#ofNamespace.get(holder.id) ?? 0) < NAMESPACE_HANDLES &&
        (this.#ofOwner.get(holder.owner?.rootUid) ?? 0) < OWNER_HANDLES)
    );
  }

  /** `namespace` is the one the file shows, `holder` that of who opens it. */
  addFile(file: VirtualFile, namespace: Namespace, holder: Namespace): number {
    const turn = Promise.resolve();
    const handle = { file, namespace, turn, waiting: undefined, unwatch: undefined };
    this.#files.set(this.#next, handle);
    return this.#hold(holder);
  }

  addListing(entries: Listing, holder: Namespace): number {
    this.#listings.set(this.#next, entries);
    return this.#hold(holder);
  }

  listing(handle: number): Listing {
    return this.#listings.get(handle) ?? [];
  }

  async read(number: number, offset: number, size: number): Promise<VirtualAnswer> {
    const handle = this.#files.get(number);
    if (handle === undefined) return BAD_HANDLE;
    await handle.turn;
    if (this.hasEnded(handle.namespace)) return { errno: 0, data: new Uint8Array() };
    return { errno: 0, data: (await handle.file.read?.(offset, size)) ?? new Uint8Array() };
  }

  async write(number: number, data: Uint8Array, caller: Caller): Promise<VirtualAnswer> {
    const handle = this.#files.get(number);
    if (handle?.file.write === undefined) return BAD_HANDLE;
    const answer = await inTurn(handle, async () => {
      return this.hasEnded(handle.namespace) ? 'EINVAL' : handle.file.write?.(data, caller);
    });
    return typeof answer === 'number'
      ? { errno: 0, written: Math.min(answer, data.length) }
      : { errno: errnoNumber(answer ?? 'EBADF') };
  }

  async flush(number: number, caller: Caller): Promise<VirtualAnswer> {
    const handle = this.#files.get(number);
    if (handle === undefined) return BAD_HANDLE;
    const problem = await inTurn(handle, async (): Promise<ErrnoName | undefined> => {
      return this.hasEnded(handle.namespace) ? undefined : handle.file.flush?.(caller);
    });
    return { errno: problem === undefined ? 0 : errnoNumber(problem) };
  }

  async release(number: number): Promise<VirtualAnswer> {
    this.#listings.delete(number);
    this.#letGo(number);
    const handle = this.#files.get(number);
    this.#files.delete(number);
    if (handle === undefined) return { errno: 0 };
    handle.unwatch?.();
    await inTurn(handle, () => Promise.resolve(handle.file.release?.()));
    return { errno: 0 };
  }

  poll({ handle: number, pollHandle, pollNotify }: VirtualUpcall): VirtualAnswer {
    const handle = this.#files.get(number);
    if (handle === undefined) return BAD_HANDLE;
    if (this.hasEnded(handle.namespace)) return { errno: 0, events: POLLIN | POLLRDNORM | POLLHUP };
    if (handle.file.isReadable === undefined) return { errno: 0, events: ALWAYS_READY };
    if (pollNotify) this.#wait(handle, pollHandle);
    return { errno: 0, events: handle.file.isReadable() ? POLLIN | POLLRDNORM : 0 };
  }

  /** The number of the new handle. */
  #hold(holder: Namespace): number {
    const number = this.#next++;
    if (holder.isSystem) return number;
    this.#holders.set(number, holder);
    count(this.#ofNamespace, holder.id, 1);
    count(this.#ofOwner, holder.owner?.rootUid, 1);
    return number;
  }

  #letGo(number: number): void {
    const holder = this.#holders.get(number);
    if (holder === undefined) return;
    this.#holders.delete(number);
    count(this.#ofNamespace, holder.id, -1);
    count(this.#ofOwner, holder.owner?.rootUid, -1);
  }

  /** Each request to be told is answered by one notification. */
  #wait(handle: OpenHandle, pollHandle: bigint): void {
    handle.waiting = pollHandle;
    handle.unwatch ??= handle.file.watch?.(() => {
      const waiting = handle.waiting;
      handle.waiting = undefined;
      if (waiting !== undefined) this.notifyPoll(waiting);
    });
  }
}

const count = <Key>(counts: Map<Key, number>, key: Key, change: number): void => {
  const sum = (counts.get(key) ?? 0) + change;
  if (sum === 0) counts.delete(key);
  else counts.set(key, sum);
};

const inTurn = <Result>(handle: OpenHandle, job: () => Promise<Result>): Promise<Result> => {
  const done = handle.turn.then(job);
  handle.turn = done.catch(() => undefined);
  return done;
};
