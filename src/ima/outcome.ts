import { appraiseMeasurement } from './appraise-measurement.js';
import type { Collected } from './collect-measurement.js';
import { fixXattr } from './fix-xattr.js';
import type { Ima } from './ima.js';
import type { PolicyDecision } from './policy/match-policy.js';
import type { AuditPort, Digest, ImaFile, IntegrityStatus } from './ports.js';

/** What the namespace was like when the access began; what it becomes meanwhile is for the next. */
export type Moment = Pick<Ima, 'generation' | 'mode'>;

/** What collecting and appraising came to: `cause` is what was recorded, if anything was. */
export interface Outcome {
  readonly status: IntegrityStatus;
  readonly op: 'appraise_data' | 'collect_data';
  readonly cause: string | undefined;
  readonly found: Digest | undefined;
  readonly wanted: Digest | undefined;
}

export const NOT_APPRAISED: Outcome = {
  status: 'UNKNOWN',
  op: 'appraise_data',
  cause: undefined,
  found: undefined,
  wanted: undefined,
};
export const PASSED_BEFORE: Outcome = { ...NOT_APPRAISED, status: 'PASS' };

/** ima_appraise_measurement with fix mode; a record for whatever is not right, fixed or not. */
export async function appraise(
  { mode }: Moment,
  audit: AuditPort,
  file: ImaFile,
  collected: Collected,
): Promise<Outcome> {
  if (!collected.ok) {
    return uncollected('UNKNOWN', collected.cause);
  }
  const found = collected.digest;
  const { imaXattr, isNew, sizeBytes } = file;
  const { status, cause, wanted } = appraiseMeasurement({ found, imaXattr, isNew, sizeBytes });
  const outcome: Outcome = { status, op: 'appraise_data', cause, found, wanted };
  if (cause === undefined) {
    return outcome;
  }
  const fixed = mode === 'fix' && status !== 'PASS' && (await fixXattr(file, found));
  audit.integrity({ type: 1800, op: outcome.op, cause, result: 0, errno: 0 });
  return fixed ? { ...outcome, status: 'PASS' } : outcome;
}

/** Only the audit record was wanted: an appraisal that passed before stands. */
export function withoutAppraisal(decision: PolicyDecision, collected: Collected): Outcome {
  const standing = decision.appraise ? PASSED_BEFORE : NOT_APPRAISED;
  return collected.ok
    ? { ...standing, found: collected.digest }
    : uncollected(standing.status, collected.cause);
}

function uncollected(status: IntegrityStatus, cause: string): Outcome {
  return { status, op: 'collect_data', cause, found: undefined, wanted: undefined };
}
