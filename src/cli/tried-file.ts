import { hashAlgorithmByName } from '../ima/digest/hash-algorithms.js';
import type {
  AppendedSignature,
  Digest,
  HashAlgorithm,
  ImaFile,
  ObjectFacts,
} from '../ima/ports.js';
import type { OpenedFile } from '../labels/opened-file.js';
import type { FileContent } from './file-content.js';
import type { FileSystemFacts } from './file-system-facts.js';

/** A file of the machine as a policy would find it, if somebody opened it now. */
export class TriedFile implements ImaFile {
  readonly version = 1;
  readonly isNew = false;
  readonly isCreated = false;
  readonly isUnopened = false;
  readonly mayKeep = true;
  readonly imaXattr: Buffer | undefined;
  readonly object: ObjectFacts;
  readonly xattr: ImaFile['xattr'];
  readonly mode: number;
  readonly sizeBytes: number;
  /** Each access is one by itself: nothing is remembered from one to the next. */
  node = 0;
  readonly #digests = new Map<HashAlgorithm, Uint8Array>();

  constructor(
    private readonly opened: OpenedFile,
    private readonly content: FileContent,
    fileSystem: FileSystemFacts,
    /** Without it nothing of the content counts, and it is not read. */
    private readonly isCompared: (file: ImaFile) => boolean,
  ) {
    const { object, mode, xattr } = opened.attributes;
    this.xattr = xattr;
    this.imaXattr = opened.label;
    const label = xattr('security.selinux');
    this.object = { ...object, ...fileSystem, label: label && textOf(label) };
    this.mode = mode;
    this.sizeBytes = opened.sizeBytes;
  }

  digest(algorithm: HashAlgorithm): Promise<Uint8Array> {
    const known = this.#digests.get(algorithm) ?? this.#hash(algorithm);
    this.#digests.set(algorithm, known);
    return Promise.resolve(known);
  }

  verityDigest(preferred: HashAlgorithm): Promise<Digest> {
    for (const algorithm of [preferred, 'sha256']) {
      const bytes = this.content.verityDigest(this.opened, algorithm);
      if (bytes !== undefined) return Promise.resolve({ algorithm, bytes });
    }
    return Promise.reject(new Error('fs-verity always has SHA-256'));
  }

  /** Whoever tries says that it was not looked at. */
  appendedSignature(): Promise<AppendedSignature | undefined> {
    return Promise.resolve(undefined);
  }

  isMappedForWriting(): Promise<boolean> {
    return Promise.resolve(false);
  }

  writeImaXattr(): Promise<boolean> {
    return Promise.resolve(false);
  }

  #hash(algorithm: HashAlgorithm): Uint8Array {
    if (this.isCompared(this)) return this.content.digest(this.opened, algorithm);
    return new Uint8Array(hashAlgorithmByName(algorithm)?.digestBytes ?? 0);
  }
}

/** SELinux ends a label with a NUL. */
function textOf(label: Uint8Array): string {
  return Buffer.from(label).toString('latin1').replace(/\0$/, '');
}
