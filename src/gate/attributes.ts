/** What a change of its attributes does to a file that somebody is, or may be, writing to. */
import type { AttributesUpcall } from '../binding/addon-types.js';
import { inodePostSetattr } from '../ima/inode-post-setattr.js';
import type { ObjectFacts } from '../ima/ports.js';
import type { Judge, Registry } from '../namespaces/registry.js';

export interface AttributesParts {
  readonly registry: Pick<Registry, 'judges' | 'known'>;
  /** What policy conditions know of the backing file system. */
  readonly fileSystem: Pick<ObjectFacts, 'fsMagic' | 'fsName' | 'fsSubtype' | 'fsUuid'>;
}

type Change = Pick<AttributesUpcall, 'node' | 'file' | 'truncated'>;

export class AttributesHandler {
  constructor(private readonly parts: AttributesParts) {}

  /**
   * Done by native already; whoever did it waits for this answer: an errno, 0. Rejects where it cannot be
   * found out who judges him; no result stands then either.
   */
  async changed(upcall: AttributesUpcall): Promise<number> {
    this.#voidResults(upcall);
    this.#ask(upcall, await this.parts.registry.judges(upcall.caller));
    return 0;
  }

  /** The same for who opens a file with O_TRUNC: the kernel truncates it once the open was let through. */
  note(change: Change, judges: readonly Judge[]): void {
    this.#voidResults(change);
    this.#ask(change, judges);
  }

  /** What was found holds for nobody any more, whoever changed it (the flags are the inode's). */
  #voidResults({ node, truncated }: Change): void {
    for (const namespace of this.parts.registry.known()) {
      if (truncated) namespace.resetResults(node);
      else namespace.attributesChanged(node);
    }
  }

  #ask({ node, file }: Change, judges: readonly Judge[]): void {
    const { registry, fileSystem } = this.parts;
    const object = { uid: file.uid, gid: file.gid, ...fileSystem };
    for (const { namespace, subjects } of judges) {
      for (const other of registry.known()) {
        const ima = other.knownImaOf(namespace);
        if (ima !== undefined) inodePostSetattr(ima, node, subjects, object);
      }
    }
  }
}
