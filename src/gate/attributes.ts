/** What a change of owner, mode or size does to a file that somebody has open for writing. */
import type { AttributesUpcall } from '../binding/addon-types.js';
import { inodePostSetattr } from '../ima/inode-post-setattr.js';
import type { ObjectFacts } from '../ima/ports.js';
import type { Judge, Registry } from '../namespaces/registry.js';

export interface AttributesParts {
  readonly registry: Pick<Registry, 'judges' | 'known'>;
  /** What policy conditions know of the backing file system. */
  readonly fileSystem: Pick<ObjectFacts, 'fsMagic' | 'fsName' | 'fsSubtype' | 'fsUuid'>;
}

export class AttributesHandler {
  constructor(private readonly parts: AttributesParts) {}

  /** Done by native already; whoever did it waits for this answer: an errno, 0 always. */
  async changed({ node, caller, file, truncated }: AttributesUpcall): Promise<number> {
    this.note({ node, file, truncated }, await this.parts.registry.judges(caller));
    return 0;
  }

  /** The same for who opens a file with O_TRUNC: the kernel truncates it once the open was let through. */
  note(
    { node, file, truncated }: Pick<AttributesUpcall, 'node' | 'file' | 'truncated'>,
    judges: readonly Judge[],
  ): void {
    const { registry, fileSystem } = this.parts;
    // What was found holds for nobody any more, whoever changed it (the flags are the inode's).
    for (const namespace of registry.known()) {
      if (truncated) namespace.resetResults(node);
      else namespace.attributesChanged(node);
    }
    const object = { uid: file.uid, gid: file.gid, ...fileSystem };
    for (const { namespace, subjects } of judges) {
      const imas = registry.known().map((other) => other.imaOf(namespace));
      for (const ima of imas) inodePostSetattr(ima, node, subjects, object);
    }
  }
}
