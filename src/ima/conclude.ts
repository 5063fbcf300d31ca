import type { Access } from './access.js';
import type { Ima } from './ima.js';
import type { Moment, Outcome } from './outcome.js';
import type { PolicyDecision } from './policy/match-policy.js';
import type { Allowed, Verdict } from './verdict.js';

/** The end of process_measurement: enforcement, and what a writer's last close will do. */
export function conclude(
  ima: Ima,
  { generation, mode }: Moment,
  { file, writable }: Access,
  decision: PolicyDecision,
  outcome: Outcome,
): Verdict {
  const { op, cause = 'unknown', ...findings } = outcome;
  const passed = decision.appraise !== undefined && outcome.status === 'PASS';
  const rule = decision.rules.appraise;
  if (decision.appraise && rule && !passed && mode === 'enforce') {
    return { allowed: false, errno: 'EACCES', op, cause, rule, decision, ...findings };
  }
  const iint = ima.iints.obtain(file.node);
  const mayUpdateXattr = writable && (passed || decision.hash);
  if (mayUpdateXattr) {
    iint.addWriter(file.version, file.isNew); // IMA_UPDATE_XATTR, IMA_NEW_FILE
  }
  const cacheable =
    outcome.cause === undefined && !file.isNew && iint.speaksFor(file.version, generation);
  return allow(decision, outcome, { mayUpdateXattr, cacheable });
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
