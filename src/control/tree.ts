/**
 * The control tree: answers the operations on it that native sends up. LOOKUP and GETATTR answer every
 * caller alike; who may do what is decided at OPEN, OPENDIR and READLINK (access.ts), and from then on
 * the handle knows its namespace.
 */
import { type ErrnoName, errnoNumber, errnoOf } from '../base/errno.js';
import type {
  Caller,
  VirtualAnswer,
  VirtualAttributes,
  VirtualUpcall,
} from '../binding/addon-types.js';
import type { Namespace } from '../namespaces/namespace.js';
import { mayUse } from './access.js';
import { HandleTable } from './handle-table.js';
import { NodeTable, TOP_NODE, type VirtualNode } from './node-table.js';
import { openEntry, type Writers } from './open-entry.js';
import type { ControlParts } from './parts.js';

const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;
const S_IFLNK = 0o120000;

/** Owner shown where root of the owning user namespace is nobody here (overflowuid). */
const NOBODY = 65_534;

const SUCCESS: VirtualAnswer = { errno: 0 };

const failed = (errno: ErrnoName): VirtualAnswer => ({ errno: errnoNumber(errno) });

/** A request that must have a caller; one without is refused. */
type CalledUpcall = VirtualUpcall & { readonly caller: Caller };

const hasCaller = (upcall: VirtualUpcall): upcall is CalledUpcall => upcall.caller !== undefined;

export class ControlTree {
  readonly #nodes = new NodeTable();
  readonly #handles: HandleTable;
  readonly #writers: Writers = new Set();

  constructor(private readonly parts: ControlParts) {
    this.#handles = new HandleTable(
      (pollHandle) => parts.transport.notifyPoll(pollHandle),
      (namespace) => this.#hasEnded(namespace),
    );
  }

  /** Answers one operation; never rejects: a fault of ours is logged and answered EIO. */
  async serve(upcall: VirtualUpcall): Promise<VirtualAnswer> {
    try {
      return await this.#dispatch(upcall);
    } catch (error) {
      this.parts.log.error({ err: error, op: upcall.op, name: upcall.name }, 'control tree');
      return failed(errnoOf(error) ?? 'EIO');
    }
  }

  #dispatch(upcall: VirtualUpcall): VirtualAnswer | Promise<VirtualAnswer> {
    switch (upcall.op) {
      case 'lookup':
        return this.#lookup(upcall);
      case 'getattr':
      case 'setattr':
        // setattr: shells truncate what they write to. Native has refused a new mode or owner (EPERM).
        return this.#attributes(upcall.node);
      case 'forget':
        return SUCCESS;
      case 'readlink':
      case 'opendir':
      case 'open':
        return hasCaller(upcall) ? this.#judge(upcall) : failed('EACCES');
      case 'readdir':
        return { errno: 0, entries: this.#handles.listing(upcall.handle).slice(upcall.offset) };
      case 'read':
        return this.#handles.read(upcall.handle, upcall.offset, upcall.size);
      case 'write':
        if (!hasCaller(upcall) || upcall.data === undefined) return failed('EACCES');
        return this.#handles.write(upcall.handle, upcall.data, upcall.caller);
      case 'flush':
        return hasCaller(upcall) ? this.#handles.flush(upcall.handle, upcall.caller) : SUCCESS;
      case 'poll':
        return this.#handles.poll(upcall);
      case 'release':
      case 'releasedir':
        return this.#handles.release(upcall.handle);
    }
  }

  #lookup({ node, name }: VirtualUpcall): VirtualAnswer {
    // Node 0 is the root of the mount, below which there is one virtual name.
    if (node === 0) {
      return name === this.parts.controlName ? this.#attributes(TOP_NODE) : failed('ENOENT');
    }
    const parent = this.#nodes.find(node);
    if (parent === undefined || this.#hasEnded(parent.namespace)) return failed('ENOENT');
    const found = this.#nodes.entriesOf(parent).find(({ entry }) => entry?.name === name);
    if (found !== undefined) return this.#attributes(found.node);
    const namespace = parent.node === TOP_NODE ? this.#namespaceCalled(name) : undefined;
    if (namespace === undefined) return failed('ENOENT');
    return this.#attributes(this.#nodes.directory(namespace).node);
  }

  /** Looked up each time: that it ended is noticed elsewhere only seconds later. */
  #hasEnded(namespace: Namespace | undefined): boolean {
    if (namespace === undefined || namespace.isSystem) return false;
    return namespace.isDead || this.parts.ids.namespaceLives(namespace.id) === false;
  }

  #namespaceCalled(name: string): Namespace | undefined {
    return /^[1-9]\d*$/.test(name) ? this.parts.registry.byName(Number(name)) : undefined;
  }

  #attributes(node: number): VirtualAnswer {
    const found = this.#nodes.find(node);
    return found === undefined ? failed('ENOENT') : { errno: 0, attributes: attributesOf(found) };
  }

  /** The three operations at which it is decided whether this caller may. */
  #judge(upcall: CalledUpcall): VirtualAnswer {
    const { caller } = upcall;
    const found = this.#nodes.find(upcall.node);
    // ESTALE makes the kernel look the name up again: it may be another namespace's by now.
    if (found === undefined || this.#hasEnded(found.namespace)) return failed('ESTALE');
    const reader = this.parts.registry.ofCaller(caller);
    const namespace = found.namespace ?? reader;
    if (!mayUse(this.parts.addon, this.parts.registry, caller, namespace)) return failed('EACCES');
    if (upcall.op !== 'readlink' && !this.#handles.hasRoom(reader)) return failed('EMFILE');
    switch (upcall.op) {
      case 'readlink':
        return { errno: 0, data: Buffer.from(String(caller.scopeName)) };
      case 'opendir':
        return {
          errno: 0,
          handle: this.#handles.addListing(this.#list(found, namespace), reader),
        };
      default: {
        if (found.entry?.kind !== 'file') return failed('EISDIR');
        const context = {
          namespace,
          caller,
          atTop: found.namespace === undefined,
          parts: this.parts,
        };
        const file = openEntry(found.entry, context, upcall.flags, this.#writers);
        if (typeof file === 'string') return failed(file);
        return { errno: 0, handle: this.#handles.addFile(file, namespace, reader) };
      }
    }
  }

  /** The top shows the system all namespaces, and every other reader its own. */
  #list(directory: VirtualNode, reader: Namespace): DirectoryEntry[] {
    const entries = this.#nodes.entriesOf(directory).map(directoryEntry);
    if (directory.node !== TOP_NODE) return entries;
    const shown = this.parts.registry
      .activated()
      .filter((namespace) => reader.isSystem || namespace.id === reader.id);
    const directories = shown.map((namespace) => this.#nodes.directory(namespace));
    return [...entries, ...directories.map(directoryEntry)];
  }
}

type DirectoryEntry = NonNullable<VirtualAnswer['entries']>[number];

const directoryEntry = (found: VirtualNode): DirectoryEntry => ({
  name: found.entry?.name ?? String(found.namespace?.name),
  node: found.node,
  mode: attributesOf(found).mode,
});

/**
 * To the kernel all may do all at the top, where tree.ts decides; a namespace's directory belongs to
 * root of the user namespace that owns the mount namespace.
 */
const attributesOf = ({ node, namespace, entry }: VirtualNode): VirtualAttributes => {
  const others = namespace === undefined ? 0o777 : 0o700;
  const mode =
    entry === undefined || entry.kind === 'directory'
      ? S_IFDIR | others
      : entry.kind === 'link'
        ? S_IFLNK | 0o777
        : S_IFREG | (others & 0o666);
  const uid = namespace === undefined ? 0 : (namespace.owner?.rootUid ?? NOBODY);
  const gid = namespace === undefined ? 0 : (namespace.owner?.rootGid ?? NOBODY);
  return { node, mode, uid, gid, size: 0 };
};
