/** A policy file that was read for its writer, as a policy sees it: it is in memory and never changes. */
import type { FileFacts, FileOfCaller } from '../binding/addon-types.js';
import { dataHash } from '../ima/digest/data-hash.js';
import { createVerityHasher } from '../ima/digest/verity-digest.js';
import { PROTECTED_XATTRS } from '../ima/evm/protected-xattrs.js';
import type { AppendedSignature, Digest, ImaFile, ObjectFacts } from '../ima/ports.js';

/** In the order in which native is asked for them: all that EVM protects, and what it says. */
export const POLICY_FILE_XATTRS: readonly string[] = ['security.evm', ...PROTECTED_XATTRS];

export class PolicyFile implements ImaFile {
  readonly node = 0;
  readonly version = 0;
  readonly isNew = false;
  readonly isCreated = false;
  readonly isUnopened = false;
  readonly mayKeep = false;
  readonly object: ObjectFacts;

  constructor(
    private readonly read: FileOfCaller,
    fileSystem: Pick<ObjectFacts, 'fsName' | 'fsSubtype' | 'fsUuid'>,
  ) {
    const { uid, gid } = read.file;
    const { fsName, fsSubtype, fsUuid } = fileSystem;
    this.object = { uid, gid, fsMagic: read.fsMagic, fsName, fsSubtype, fsUuid };
  }

  /** Where it is, for audit records. */
  get place(): Pick<FileFacts, 'device' | 'ino'> {
    return this.read.file;
  }

  get imaXattr(): Uint8Array | undefined {
    return this.xattr('security.ima');
  }

  get sizeBytes(): number {
    return this.read.content.length;
  }

  get mode(): number {
    return this.read.file.mode;
  }

  xattr(name: string): Uint8Array | undefined {
    return this.read.xattrs[POLICY_FILE_XATTRS.indexOf(name)];
  }

  digest(algorithm: string): Promise<Uint8Array> {
    return found(dataHash(algorithm, this.read.content), algorithm);
  }

  async verityDigest(preferred: string): Promise<Digest> {
    const algorithm = preferred === 'sha512' ? 'sha512' : 'sha256';
    const hasher = createVerityHasher(
      algorithm,
      (block) => dataHash(algorithm, block) ?? new Uint8Array(),
    );
    hasher?.update(this.read.content);
    return { algorithm, bytes: await found(hasher?.digest(), algorithm) };
  }

  /** Policies are not among what the kernel looks for one in. */
  appendedSignature(): Promise<AppendedSignature | undefined> {
    return Promise.resolve(undefined);
  }

  isMappedForWriting(): Promise<boolean> {
    return Promise.resolve(false);
  }

  writeImaXattr(): Promise<boolean> {
    return Promise.resolve(false);
  }
}

const found = (bytes: Uint8Array | undefined, algorithm: string): Promise<Uint8Array> =>
  bytes === undefined
    ? Promise.reject(new Error(`no implementation of hash algorithm ${algorithm}`))
    : Promise.resolve(bytes);
