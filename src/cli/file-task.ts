import type { KeyObject } from 'node:crypto';

import type { BlacklistEntry } from '../keys/blacklist-file.js';
import type { SentKey } from '../keys/sent-key.js';

/** What is to be done with each file. All of it can be sent to a worker thread. */
export type FileTask =
  | { readonly kind: 'hash'; readonly algorithm: string; readonly dryRun: boolean }
  | { readonly kind: 'clear'; readonly dryRun: boolean }
  | SignTask
  | VerifyTask
  | DaemonHashTask;

/** The form of a signature: version 2 or 3 of a plain one, or over the fs-verity digest. */
export type SignatureForm = 'v2' | 'v3' | 'verity';

export interface SignTask {
  readonly kind: 'sign';
  readonly algorithm: string;
  readonly form: SignatureForm;
  readonly keyId: number;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly dryRun: boolean;
  /** Read and written through a live mount, whose policies may refuse it. */
  readonly onMount: boolean;
}

export interface VerifyTask {
  readonly kind: 'verify';
  readonly keys: readonly SentKey[];
  readonly blacklist: readonly BlacklistEntry[];
  /** Digests do not count. */
  readonly demandsSignature: boolean;
  readonly onMount: boolean;
}

/** On a live mount: the daemon hashes, and decides. */
export interface DaemonHashTask {
  readonly kind: 'hash-by-daemon';
  /** Absolute, without symlinks. */
  readonly mountpoint: string;
  readonly control: string | undefined;
  /** latin1, as the paths of files are that begin with it. */
  readonly operand: string;
  /** Where the operand lies, from the root of the mount, which itself is ''; latin1. */
  readonly below: string;
}

/** What became of a file; the fields are those of the JSON lines. */
export type FileOutcome =
  | ({ readonly result: 'labelled' | 'unchanged' | 'cleared' | 'no-label' | 'ok' } & FileFacts)
  | ({ readonly result: 'failed'; readonly message: string } & FileFacts);

export interface FileFacts {
  /** Of its content, `algorithm:hex`. */
  readonly digest?: string | undefined;
  /** The digest that security.ima holds instead. */
  readonly wanted?: string | undefined;
  /** Of the key that made the signature, eight hex digits, and its description if it is known. */
  readonly keyid?: string | undefined;
  readonly key?: string | undefined;
  /** The kernel's word for why it does not pass. */
  readonly cause?: string | undefined;
}

export type FileResult = FileOutcome['result'];

/** Files that one worker treats one after the other. */
export interface FileBatch {
  readonly id: number;
  /** Position in CrewOrders.tasks. */
  readonly task: number;
  readonly runs: readonly FileRun[];
}

/** Files of one directory, as WalkedDirectory has them. */
export interface FileRun {
  readonly fd: number | undefined;
  readonly base: string;
  readonly shown: string;
  readonly device: bigint | undefined;
  readonly names: readonly string[];
}

/** What a worker says of a batch, or of so much of it as was done when all had to stop. */
export interface BatchReport {
  readonly id: number;
  readonly counts: Readonly<Partial<Record<FileResult, number>>>;
  /** By their paths in latin1: of every file or of those that failed, as CrewOrders says. */
  readonly told: readonly (readonly [path: string, outcome: FileOutcome])[];
}

/** What a worker is started with. */
export interface CrewOrders {
  readonly tasks: readonly FileTask[];
  readonly tellEach: boolean;
  readonly shared: SharedArrayBuffer;
}
