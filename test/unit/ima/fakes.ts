import { createHash } from 'node:crypto';
import { parsePolicy } from '../../../src/ima/policy/parse-policy.js';
import { Policy } from '../../../src/ima/policy/policy.js';
import {
  type AppendedSignature,
  type AppraiseMode,
  type AuditPort,
  type Digest,
  type ImaFile,
  MAY_READ,
  type ObjectFacts,
  type Subject,
} from '../../../src/ima/ports.js';
import type { Access } from '../../../src/ima/process-measurement.js';
import { type FakeIma, fakeIma } from '../../helpers/fake-list.js';
import { policyMachine } from '../../helpers/policy-machine.js';

export const user = (uid: number, facts: Partial<Subject> = {}): Subject => ({
  uid,
  euid: uid,
  suid: uid,
  gid: uid,
  egid: uid,
  sgid: uid,
  capSetuid: false,
  capSetgid: false,
  ...facts,
});

export const onExt4 = (uid: number, facts: Partial<ObjectFacts> = {}): ObjectFacts => ({
  uid,
  gid: uid,
  fsMagic: 0xef53,
  fsName: 'ext4',
  fsUuid: undefined,
  ...facts,
});

export function policyOf(...lines: string[]): Policy {
  const parsed = parsePolicy(lines.join('\n'), 'test', policyMachine);
  if (!parsed.ok) {
    throw new Error(JSON.stringify(parsed.problem));
  }
  return new Policy(parsed.value);
}

export function imaOf(mode: AppraiseMode, ...lines: string[]): FakeIma {
  return fakeIma({ mode, policy: policyOf(...lines) });
}

/** A file in memory whose content and xattr can be changed; each change is a new version. */
export class FakeFile implements ImaFile {
  node = 1;
  version = 1;
  object = onExt4(1000);
  isNew = false;
  isCreated = false;
  isUnopened = false;
  mayKeep = true;
  hashings = 0;
  failing = false;
  mode = 0o100644;
  readonly xattrs = new Map<string, Uint8Array>();
  imaXattr: Uint8Array | undefined;
  #content: string;

  constructor(content: string, xattr?: string) {
    this.#content = content;
    this.imaXattr = xattr === undefined ? undefined : this.bytes(xattr);
  }

  xattr(name: string): Uint8Array | undefined {
    return name === 'security.ima' ? this.imaXattr : this.xattrs.get(name);
  }

  get sizeBytes(): number {
    return this.#content.length;
  }

  write(content: string): void {
    this.#content = content;
    this.version += 1;
  }

  setXattr(xattr: string | undefined): void {
    this.imaXattr = xattr === undefined ? undefined : this.bytes(xattr);
    this.version += 1;
  }

  hex(algorithm: string): string {
    return createHash(algorithm).update(this.#content).digest('hex');
  }

  /** Hex in which {sha256} and the like stand for the digest of the content. */
  bytes(xattr: string): Uint8Array {
    const hex = xattr.replace(/\{(\w+)\}/g, (_, algorithm: string) => this.hex(algorithm));
    return Uint8Array.from(Buffer.from(hex, 'hex'));
  }

  digest(algorithm: string): Promise<Uint8Array> {
    this.hashings += 1;
    return this.failing
      ? Promise.reject(new Error('EIO'))
      : Promise.resolve(this.bytes(`{${algorithm}}`));
  }

  /** Written over by tests. */
  modsig: AppendedSignature | undefined;
  isMapped = false;

  verityDigest(algorithm: string): Promise<Digest> {
    return Promise.resolve({ algorithm, bytes: this.bytes(`{${algorithm}}`).reverse() });
  }

  appendedSignature(): Promise<AppendedSignature | undefined> {
    return Promise.resolve(this.modsig);
  }

  isMappedForWriting(): Promise<boolean> {
    return Promise.resolve(this.isMapped);
  }

  writeImaXattr(value: Uint8Array): Promise<boolean> {
    this.imaXattr = value;
    this.version += 1;
    return Promise.resolve(true);
  }
}

/** Keeps the records in one line each: `1800 appraise_data invalid-hash res=0`. */
export class FakeAudit implements AuditPort {
  readonly records: string[] = [];

  integrity(record: Parameters<AuditPort['integrity']>[0]): void {
    this.records.push(`${record.type} ${record.op} ${record.cause} res=${record.result}`);
  }

  measurement({ algorithm, bytes }: Digest): void {
    this.records.push(`1805 ${algorithm}:${Buffer.from(bytes).toString('hex')}`);
  }
}

/** Reading by root, unless said otherwise. */
export const accessTo = (file: ImaFile, facts: Partial<Access> = {}): Access => ({
  hook: 'FILE_CHECK',
  mask: MAY_READ,
  subject: user(0),
  file,
  writable: false,
  directIo: false,
  writersOwn: false,
  writersSince: undefined,
  name: () => Promise.resolve(Buffer.from('/mnt/f')),
  hasReaders: () => Promise.resolve(false),
  hasWriters: () => Promise.resolve(false),
  mayHaveWriters: () => true,
  ...facts,
});
