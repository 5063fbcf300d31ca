import type { PolicyDecision } from './policy/match-policy.js';
import type { Rule } from './policy/rule.js';
import type { Digest, IntegrityStatus } from './ports.js';

/** What was found out on the way to a verdict, whichever it is. */
export interface Findings {
  /** What the policy said, and which rule (source and line) said it. */
  readonly decision: PolicyDecision;
  /** Result of the appraisal; UNKNOWN where none was asked for. */
  readonly status: IntegrityStatus;
  /** The file's digest, where this call collected one. */
  readonly found: Digest | undefined;
  /** What security.ima holds, where it is a digest. */
  readonly wanted: Digest | undefined;
}

export interface Allowed extends Findings {
  readonly allowed: true;
  /** An appraise rule matched. */
  readonly appraised: boolean;
  /** As far as this policy goes, this open's writing may lead to security.ima being written. */
  readonly mayUpdateXattr: boolean;
  /** The same access would be allowed again without a trace while version and generation stand. */
  readonly cacheable: boolean;
  /** What was recorded although the access is allowed, as in modes log and fix. */
  readonly cause: string | undefined;
}

export interface Denied extends Findings {
  readonly allowed: false;
  /** EIO: what must be measured could not be. */
  readonly errno: 'EACCES' | 'EIO';
  readonly op:
    | 'appraise_data'
    | 'collect_data'
    | 'mmap_file'
    | 'add_template_measure'
    | 'invalid_pcr';
  /** Kernel string: missing-hash, invalid-hash …; ENOSPC or TPM_error(N) where the list failed. */
  readonly cause: string;
  /** The rule that decided; undefined for a violation by a writer whom no rule is about. */
  readonly rule: Rule | undefined;
}

export type Verdict = Allowed | Denied;
