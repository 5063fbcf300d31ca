import type { Access } from './access.js';
import { IMA_DIGSIG } from './iint.js';
import type { Ima } from './ima.js';
import { isNewFile } from './is-new-file.js';
import type { Moment, Outcome } from './outcome.js';
import type { PolicyDecision } from './policy/match-policy.js';
import { type AuditPort, MAY_WRITE } from './ports.js';
import type { Allowed, Denied, Verdict } from './verdict.js';
import { isSignature } from './xattr/decode-xattr.js';

/** The end of process_measurement: enforcement, and what a writer's last close will do. */
export async function conclude(
  ima: Ima,
  { generation, mode }: Moment,
  audit: AuditPort,
  access: Access,
  decision: PolicyDecision,
  outcome: Outcome,
): Promise<Verdict> {
  const { file, hook, writable } = access;
  const isMapped =
    decision.appraise && outcome.status === 'PASS' && isMmap(hook)
      ? await file.isMappedForWriting()
      : false;
  // From here on nothing waits: what is found out and what is noted are of one moment.
  const isNew = isNewFile(ima, access);
  const problem = decision.appraise && problemOf(ima, audit, access, decision, outcome, isMapped);
  const rule = decision.rules.appraise;
  if (problem && rule && mode === 'enforce') {
    const { status, found, wanted } = outcome;
    return { allowed: false, errno: 'EACCES', ...problem, rule, decision, status, found, wanted };
  }
  const iint = ima.iints.obtain(file.node);
  const passed = decision.appraise !== undefined && problem === undefined;
  const mayUpdateXattr = writable && (passed || decision.hash);
  if (mayUpdateXattr) {
    iint.addWriter(file.version, isNew && passed); // IMA_UPDATE_XATTR
  }
  const cause = problem?.cause ?? outcome.cause;
  const cacheable = cause === undefined && !isNew && iint.speaksFor(file.version, generation);
  return allow(decision, { ...outcome, cause }, { mayUpdateXattr, cacheable });
}

/** What stands in the way of an access that is appraised: `rc` of process_measurement. */
function problemOf(
  ima: Ima,
  audit: AuditPort,
  access: Access,
  { demands }: PolicyDecision,
  { status, op, cause = 'unknown' }: Outcome,
  isMapped: boolean,
): Pick<Denied, 'op' | 'cause'> | undefined {
  const { file, mask, directIo } = access;
  const isLetThrough = directIo && demands.permitsDirectIo;
  const passed = status === 'PASS';
  if (isMapped) {
    const mapped = { op: 'mmap_file', cause: 'mmapped_writers' } as const;
    audit.integrity({ type: 1800, ...mapped, result: 0, errno: 0 }); // mmap_violation_check
    return mapped;
  }
  const isSigned = isSignature(file.imaXattr) || ima.iints.find(file.node)?.has(IMA_DIGSIG);
  if ((mask & MAY_WRITE) !== 0 && isSigned && !isNewFile(ima, access)) {
    return { op: 'appraise_data', cause: passed ? WRITES_SIGNED_FILE : cause };
  }
  return passed || isLetThrough ? undefined : { op, cause };
}

/** Ours: the kernel refuses the open for writing without a record. */
export const WRITES_SIGNED_FILE = 'signed-file';

function isMmap(hook: Access['hook']): boolean {
  return hook === 'MMAP_CHECK' || hook === 'MMAP_CHECK_REQPROT';
}

/** An access that is let through. */
export function allow(
  decision: PolicyDecision,
  { status, cause, found, wanted }: Outcome,
  rest: Pick<Allowed, 'mayUpdateXattr' | 'cacheable'>,
): Allowed {
  const appraised = decision.appraise !== undefined;
  return { allowed: true, decision, appraised, status, cause, found, wanted, ...rest };
}
