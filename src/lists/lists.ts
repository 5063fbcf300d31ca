/** The measurement lists of all namespaces, each with its TPM: made, opened, changed, ended. */
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../base/log.js';
import type { Ima } from '../ima/ima.js';
import type { Tpm } from '../tpm/tpm.js';
import { ListDirectory } from './list-state.js';
import { NamespaceList } from './namespace-list.js';

export interface ListsParts {
  readonly stateDirectory: string;
  /** /proc/sys/kernel/random/boot_id */
  readonly bootId: string;
  readonly pcr: number;
  readonly tpmRequired: boolean;
  /** What lists other than the system's may have: entries each, bytes for one owning uid together. */
  readonly mostEntries: number;
  readonly mostOwnersBytes: number;
  /** Opens what `tpm` names; `directory`: for what a TPM of our own keeps. Rejects with an Error. */
  readonly openTpm: (name: string, directory: string) => Promise<Tpm>;
  /** Whether a namespace exists; undefined where that cannot be known. */
  readonly lives: (id: bigint) => boolean | undefined;
  readonly log: Log;
}

/** Whose list it is. */
export interface ListOwner {
  readonly id: bigint;
  readonly isSystem: boolean;
  /** The uid that its bytes count against. */
  readonly uid: () => number | undefined;
  /** Once the list is opened. */
  readonly ima: () => Pick<Ima, 'template' | 'hashAlgorithm'>;
  /** Its list began anew. */
  readonly began: () => void;
}

/** Directory of the system's list; those of others are called by their ids. */
const SYSTEM = 'system';

export class Lists {
  readonly #lists = new Map<bigint, NamespaceList>();
  readonly #opening = new Map<bigint, Promise<void>>();
  readonly #owners = new Map<bigint, ListOwner['uid']>();

  constructor(private readonly parts: ListsParts) {
    mkdirSync(this.#root(), { recursive: true, mode: 0o700 });
  }

  /** A list that is still closed. */
  create({ id, isSystem, uid, ima, began }: ListOwner): NamespaceList {
    const { bootId, pcr, tpmRequired: isRequired, log } = this.parts;
    const { mostEntries, mostOwnersBytes } = this.parts;
    const list = new NamespaceList({
      directory: new ListDirectory(this.#directoryOf(id, isSystem)),
      // The system's list is the mount's, whatever namespace the daemon is started in.
      namespace: isSystem ? SYSTEM : String(id),
      bootId,
      pcr,
      isRequired,
      mostEntries: isSystem ? Number.POSITIVE_INFINITY : mostEntries,
      mayGrow: (bytes) => isSystem || this.#bytesOf(uid()) + bytes <= mostOwnersBytes,
      template: () => ima().template,
      hashAlgorithm: () => ima().hashAlgorithm,
      began,
      log,
    });
    this.#lists.set(id, list);
    if (!isSystem) this.#owners.set(id, uid);
    return list;
  }

  of(id: bigint): NamespaceList | undefined {
    return this.#lists.get(id);
  }

  /**
   * Opens a list with the TPM called `tpm`, or with the one that its namespace had when the daemon ended.
   * Rejects with an Error that says what is wrong with it.
   */
  open(id: bigint, given?: string): Promise<void> {
    // A namespace may be activated twice at once.
    const opening = this.#opening.get(id) ?? this.#open(id, given);
    this.#opening.set(id, opening);
    return opening.finally(() => this.#opening.delete(id));
  }

  async #open(id: bigint, given: string | undefined): Promise<void> {
    const list = this.#lists.get(id);
    if (list === undefined) throw new Error(`namespace ${id} has no list`);
    if (list.standing !== 'closed') return;
    const kept = list.directory.read();
    const tpm = given ?? (kept?.bootId === this.parts.bootId ? kept.choice : 'none');
    const opened = await this.parts.openTpm(tpm, join(list.directory.path, 'tpm'));
    await list.open(opened, tpm).catch(async (error: unknown) => {
      await opened.close();
      throw error;
    });
  }

  /** Another TPM; false once something was measured. Rejects with an Error that says what is wrong. */
  async changeTpm(id: bigint, tpm: string): Promise<boolean> {
    const list = this.#lists.get(id);
    const directory = join(list?.directory.path ?? '', 'tpm');
    return (await list?.changeTpm(tpm, () => this.parts.openTpm(tpm, directory))) ?? false;
  }

  /** The namespace is gone for good. */
  async discard(id: bigint): Promise<void> {
    const list = this.#lists.get(id);
    this.#lists.delete(id);
    this.#owners.delete(id);
    await list?.discard();
  }

  /** Lists of namespaces that ended while no daemon was there. */
  removeStale(): void {
    for (const name of readdirSync(this.#root()).filter((entry) => /^\d+$/.test(entry))) {
      const directory = new ListDirectory(join(this.#root(), name));
      const isOfThisBoot = directory.read()?.bootId === this.parts.bootId;
      if (!isOfThisBoot || this.parts.lives(BigInt(name)) === false) directory.remove();
    }
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#lists.values()].map((list) => list.close()));
  }

  /** What the lists of an owner have on disk. */
  #bytesOf(owner: number | undefined): number {
    let bytes = 0;
    for (const [id, uid] of this.#owners) {
      if (uid() === owner) bytes += this.#lists.get(id)?.bytes ?? 0;
    }
    return bytes;
  }

  #root(): string {
    return join(this.parts.stateDirectory, 'lists');
  }

  #directoryOf(id: bigint, isSystem: boolean): string {
    return join(this.#root(), isSystem ? SYSTEM : String(id));
  }
}
