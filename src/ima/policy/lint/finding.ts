import type { ObjectFacts } from '../../ports.js';
import type { Policy } from '../policy.js';
import type { Rule } from '../rule.js';

/** error: it never has an effect; warning: it is probably not what was meant; note: good to know. */
export type Severity = 'error' | 'warning' | 'note';

/** Stable words for scripts (CLI.md): add, do not change. */
export type FindingCode =
  | 'shadowed'
  | 'duplicate'
  | 'unreachable'
  | 'hook-never-run'
  | 'other-file-system'
  | 'nothing-to-except'
  | 'except-at-end'
  | 'excepts-everything'
  | 'no-action'
  | 'setxattr-ignored'
  | 'appraises-everything'
  | 'stale-hash'
  | 'digest-of-writer'
  | 'unsigned-policy'
  | 'unsigned-code'
  | 'root-escapes'
  | 'weak-algorithm'
  | 'measures-writes'
  | 'unmeasured-programs'
  | 'unknown-keyring'
  | 'too-long';

/** Something that whoever wrote a policy may want to know. */
export interface Finding {
  readonly severity: Severity;
  readonly code: FindingCode;
  /** Undefined: it is about the whole policy. */
  readonly rule: Rule | undefined;
  /** Why: a sentence without capital and full stop. */
  readonly message: string;
  /** What to write instead. */
  readonly remedy: string;
}

/** What is looked at. */
export interface Linted {
  readonly policy: Policy;
  /** The file system that the policy is for, if that is known. */
  readonly backing: BackingFacts | undefined;
}

export type BackingFacts = Pick<ObjectFacts, 'fsMagic' | 'fsName' | 'fsSubtype' | 'fsUuid'>;
