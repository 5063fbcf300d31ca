/**
 * Labelling on a live mount: the daemon hashes the file itself and writes security.ima by descriptor,
 * if the file is still the same (DESIGN section 5, Labelling).
 */
import { fstat } from 'node:fs';
import { promisify } from 'node:util';
import { type ErrnoName, errnoOf } from '../base/errno.js';
import type { Addon, Caller, NativeTransport } from '../binding/addon-types.js';
import type { HashPool } from '../binding/hash-pool.js';
import { encodeXattr } from '../ima/xattr/encode-xattr.js';
import type { Namespace } from '../namespaces/namespace.js';

export type LabelChange =
  | { readonly action: 'hash' | 'clear' }
  /** Made elsewhere: the daemon has no private keys. */
  | { readonly action: 'sig'; readonly value: Uint8Array };

/** One request to change security.ima of a file, before anything is hashed. */
export interface LabelRequest {
  readonly caller: Caller;
  /** Whose hash algorithm is used. */
  readonly namespace: Namespace;
  readonly change: LabelChange;
  /** Below the root of the mount, "/" first. */
  readonly path: string;
  readonly opened: OpenedFile;
}

export type OpenedFile = ReturnType<NativeTransport['openBacking']>;

export interface LabelParts {
  readonly addon: Pick<Addon, 'setXattr' | 'closeDescriptor'>;
  readonly transport: Pick<NativeTransport, 'openBacking' | 'takeLease' | 'releaseLease'>;
  /** Reject without `code` if the lease on the descriptor was broken; nothing of theirs is left then. */
  readonly hashPool: Pick<HashPool, 'digest' | 'writeXattr'>;
  /** The rule for the shared security.ima: why this caller may not change this file's, or undefined. */
  readonly refusal: (request: LabelRequest) => Promise<ErrnoName | undefined>;
  /** security.ima was changed: verdicts are void, and the file is no longer unsettled. */
  readonly changed: (request: LabelRequest) => void;
}

/** What the `label` file asks. */
export interface Labeller {
  label(request: Omit<LabelRequest, 'opened'>): Promise<ErrnoName | undefined>;
}

const IMA_XATTR = 'security.ima';

const fstatAsync = promisify(fstat);

/** What moves when a file does: its content or its attributes. */
const versionOf = async (fd: number): Promise<string> => {
  const { size, mtimeNs, ctimeNs } = await fstatAsync(fd, { bigint: true });
  return `${size} ${mtimeNs} ${ctimeNs}`;
};

/** The file to be labelled, on a descriptor that may hold a lease: a writer that comes breaks it. */
interface Target {
  readonly fd: number;
  readonly leased: boolean;
  /** It must still be at this version when it is written. */
  readonly version: string;
}

export class FileLabeller implements Labeller {
  constructor(private readonly parts: LabelParts) {}

  /**
   * undefined: done. ETXTBSY while a writer has the file, EAGAIN if it changed meanwhile, else what
   * resolving the path (ELOOP for a symlink, EXDEV, ENOENT) or the sharing rule says.
   */
  async label(request: Omit<LabelRequest, 'opened'>): Promise<ErrnoName | undefined> {
    const { addon, transport } = this.parts;
    let opened: OpenedFile;
    try {
      opened = transport.openBacking(request.path);
    } catch (error) {
      return errnoOf(error) ?? 'EIO';
    }
    try {
      return await this.#withoutWriter({ ...request, opened });
    } finally {
      addon.closeDescriptor(opened.fd);
    }
  }

  async #withoutWriter(request: LabelRequest): Promise<ErrnoName | undefined> {
    const { transport, refusal } = this.parts;
    const { node, fd } = request.opened;
    // Taken first: what the rule looked at must be what is hashed.
    const version = await versionOf(fd);
    const refused = await refusal(request);
    if (refused !== undefined) return refused;
    // A file that the kernel does not know through the mount has no writer there.
    const lease = node === undefined ? undefined : transport.takeLease(node);
    if (lease?.state === 'busy') return 'ETXTBSY';
    if (lease?.state === 'gone') return 'ESTALE';
    if (lease?.state !== 'granted') return this.#write(request, { fd, leased: false, version });
    try {
      return await this.#write(request, { fd: lease.fd, leased: true, version });
    } finally {
      transport.releaseLease(lease.fd);
    }
  }

  async #write(request: LabelRequest, target: Target): Promise<ErrnoName | undefined> {
    try {
      return await this.#apply(request, target);
    } catch (error) {
      return errnoOf(error) ?? 'EAGAIN';
    } finally {
      this.parts.changed(request);
    }
  }

  async #apply(request: LabelRequest, target: Target): Promise<ErrnoName | undefined> {
    const { change } = request;
    switch (change.action) {
      case 'hash':
        return this.#hash(request, target);
      case 'sig':
        return this.#set(request, target, change.value);
      case 'clear':
        this.#clear(request, target);
        return undefined;
      default:
        return change satisfies never;
    }
  }

  #clear({ opened }: LabelRequest, { fd }: Target): void {
    const [before] = opened.xattrs;
    if (before !== undefined) this.parts.addon.setXattr(fd, IMA_XATTR, undefined);
  }

  async #hash(request: LabelRequest, target: Target): Promise<ErrnoName | undefined> {
    const { caller, namespace, opened } = request;
    const algorithm = namespace.ima.hashAlgorithm;
    const bytes = await this.parts.hashPool.digest({
      namespace: caller.scope,
      fd: target.fd,
      leased: target.leased,
      algorithm,
      node: opened.node ?? 0,
      version: 0,
      shared: false,
    });
    return this.#set(request, target, encodeXattr({ algorithm, bytes }));
  }

  async #set(
    { caller }: LabelRequest,
    { fd, leased, version }: Target,
    value: Uint8Array,
  ): Promise<ErrnoName | undefined> {
    if ((await versionOf(fd)) !== version) return 'EAGAIN';
    const order = { namespace: caller.scope, fd, leased };
    await this.parts.hashPool.writeXattr({ ...order, name: IMA_XATTR, value });
    return undefined;
  }
}
