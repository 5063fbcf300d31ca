import { appraiseMeasurement } from './appraise-measurement.js';
import type { Collected } from './collect-measurement.js';
import { fixXattr } from './fix-xattr.js';
import type { Ima } from './ima.js';
import type { PolicyDecision } from './policy/match-policy.js';
import type { AppendedSignature, AuditPort, Digest, ImaFile, IntegrityStatus } from './ports.js';
import { measureBlacklistedHash } from './process-buffer-measurement.js';

/** What the namespace was like when the access began; what it becomes meanwhile is for the next. */
export type Moment = Pick<Ima, 'generation' | 'mode'>;

/** What collecting and appraising came to: `cause` is what was recorded, if anything was. */
export interface Outcome {
  readonly status: IntegrityStatus;
  readonly op: 'appraise_data' | 'collect_data';
  readonly cause: string | undefined;
  readonly found: Digest | undefined;
  readonly wanted: Digest | undefined;
  /** A signature vouches for the file. */
  readonly isSigned: boolean;
}

export const NOT_APPRAISED: Outcome = {
  status: 'UNKNOWN',
  op: 'appraise_data',
  cause: undefined,
  found: undefined,
  wanted: undefined,
  isSigned: false,
};
export const PASSED_BEFORE: Outcome = { ...NOT_APPRAISED, status: 'PASS' };

/** What is appraised in one access. */
export interface Appraised {
  readonly file: ImaFile;
  readonly isNew: boolean;
  readonly collected: Collected;
  readonly modsig: AppendedSignature | undefined;
}

/** ima_appraise_measurement with fix mode; a record for whatever is not right, fixed or not. */
export async function appraise(
  ima: Ima,
  { mode }: Moment,
  audit: AuditPort,
  { measure: mustMeasure, rules, demands }: PolicyDecision,
  { file, isNew, collected, modsig }: Appraised,
): Promise<Outcome> {
  if (!collected.ok) {
    return uncollected('UNKNOWN', collected.cause);
  }
  const found = collected.digest;
  const op = 'appraise_data';
  const { keyring } = ima;
  if (
    demands.signature !== undefined &&
    keyring.isBlacklisted('bin', signedDigest(found, modsig))
  ) {
    // ima_check_blacklist: the kernel leaves no audit record.
    if (mustMeasure) {
      await measureBlacklistedHash(ima, audit, signedDigest(found, modsig), rules.measure);
    }
    const cause = 'blacklisted-hash';
    return { status: 'FAIL', op, cause, found, wanted: undefined, isSigned: false };
  }
  const appraisal = appraiseMeasurement({ file, isNew, found, demands, keyring, modsig });
  const { status, cause } = appraisal;
  const outcome: Outcome = { ...appraisal, op, found };
  if (cause === undefined) {
    return status === 'PASS' ? withAlgorithm(outcome, found, demands, audit) : outcome;
  }
  const mayFix = mode === 'fix' && status !== 'PASS' && cause !== 'unverifiable-signature';
  const { version } = file;
  const fixed = mayFix && modsig === undefined && (await fixXattr(file, found));
  if (fixed) {
    // What was found out about the content holds for the file with its new label.
    ima.iints.find(file.node)?.relabelled(version, file.version);
  }
  audit.integrity({ type: 1800, op, cause, result: 0, errno: 0 });
  return fixed ? withAlgorithm({ ...outcome, status: 'PASS' }, found, demands, audit) : outcome;
}

/** The end of process_measurement: the digest must be of an algorithm that the rule allows. */
function withAlgorithm(
  outcome: Outcome,
  { algorithm }: Digest,
  { algorithms }: PolicyDecision['demands'],
  audit: AuditPort,
): Outcome {
  if (algorithms === undefined || algorithms.includes(algorithm)) {
    return outcome;
  }
  const denied = { op: 'collect_data', cause: 'denied-hash-algorithm' } as const;
  audit.integrity({ type: 1800, ...denied, result: 0, errno: 0 });
  // FAIL, so that it is asked anew: the kernel's cached PASS lets the next open through.
  return { ...outcome, ...denied, status: 'FAIL' };
}

/** What a signature is over: the content before it, where one is appended. */
function signedDigest(found: Digest, modsig: AppendedSignature | undefined): Uint8Array {
  return (modsig?.digest ?? found).bytes;
}

/** Only the audit record was wanted: an appraisal that passed before stands. */
export function withoutAppraisal(decision: PolicyDecision, collected: Collected): Outcome {
  const standing = decision.appraise ? PASSED_BEFORE : NOT_APPRAISED;
  return collected.ok
    ? { ...standing, found: collected.digest }
    : uncollected(standing.status, collected.cause);
}

function uncollected(status: IntegrityStatus, cause: string): Outcome {
  return { ...NOT_APPRAISED, status, op: 'collect_data', cause };
}
