/** What a change of its attributes does to a file that somebody is, or may be, writing to. */
import type { AttributesUpcall } from '../binding/addon-types.js';
import { inodePostSetattr } from '../ima/inode-post-setattr.js';
import type { ObjectFacts } from '../ima/ports.js';
import type { Registry } from '../namespaces/registry.js';

export interface AttributesParts {
  readonly registry: Pick<Registry, 'judges' | 'known'>;
  /** What policy conditions know of the backing file system. */
  readonly fileSystem: Pick<ObjectFacts, 'fsMagic' | 'fsName' | 'fsSubtype' | 'fsUuid'>;
}

export class AttributesHandler {
  constructor(private readonly parts: AttributesParts) {}

  /**
   * Done by native already; whoever did it waits for this answer: an errno, 0. Rejects where it cannot be
   * found out who judges him; no result stands then either.
   */
  async changed({ node, caller, file, truncated }: AttributesUpcall): Promise<number> {
    const { registry, fileSystem } = this.parts;
    // What was found holds for nobody any more, whoever changed it (the flags are the inode's).
    for (const namespace of registry.known()) {
      if (truncated) namespace.resetResults(node);
      else namespace.attributesChanged(node);
    }
    const object = { uid: file.uid, gid: file.gid, ...fileSystem };
    for (const { namespace, subjects } of await registry.judges(caller)) {
      for (const other of registry.known()) {
        const ima = other.knownImaOf(namespace);
        if (ima !== undefined) inodePostSetattr(ima, node, subjects, object);
      }
    }
    return 0;
  }
}
