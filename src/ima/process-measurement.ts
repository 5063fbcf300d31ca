import type { Access } from './access.js';
import { collectMeasurement } from './collect-measurement.js';
import { allow, conclude } from './conclude.js';
import { type Iint, IMA_APPRAISED, IMA_AUDITED, IMA_COLLECTED, IMA_HASHED } from './iint.js';
import type { Ima } from './ima.js';
import {
  appraise,
  type Moment,
  NOT_APPRAISED,
  PASSED_BEFORE,
  withoutAppraisal,
} from './outcome.js';
import { matchPolicy, type PolicyDecision } from './policy/match-policy.js';
import type { AuditPort } from './ports.js';
import type { Verdict } from './verdict.js';
import { hashAlgorithmOfXattr } from './xattr/decode-xattr.js';

export type { Access } from './access.js';
export type { Allowed, Denied, Verdict } from './verdict.js';

/**
 * process_measurement (ima_main.c) for one hook of one request. Never rejects for what a file does:
 * what cannot be read is recorded, and refused where it is appraised.
 */
export async function processMeasurement(
  ima: Ima,
  audit: AuditPort,
  access: Access,
): Promise<Verdict> {
  const { file } = access;
  const moment: Moment = { generation: ima.generation, mode: ima.mode };

  const decision = getAction(ima, access); // ima_get_action
  if (!demandsAnything(decision)) {
    return allow(decision, NOT_APPRAISED, { mayUpdateXattr: false, cacheable: true });
  }
  const iint = ima.iints.obtain(file.node); // ima_inode_get
  // Violations (ima_rdwr_violation_check) belong here, before any result is reset.
  if (!resultsStand(iint, access, moment)) {
    iint.reset(file.version, moment.generation); // IMA_CHANGE_XATTR, IMA_CHANGE_ATTR, change cookie
  }
  if (decision.hash) {
    iint.flags |= IMA_HASHED; // a hash rule marks the file for the last writer and does no more
  }
  const todo = remainingActions(decision, iint, access); // IMA_DO_MASK less IMA_DONE_MASK
  if (!todo.appraise && !todo.audit) {
    const outcome = decision.appraise ? PASSED_BEFORE : NOT_APPRAISED; // ima_get_cache_status
    return conclude(ima, moment, access, decision, outcome);
  }

  const algorithm = hashAlgorithmOfXattr(file.imaXattr, ima.hashAlgorithm); // ima_get_hash_algo
  const directIo = access.directIo && !iint.has(IMA_COLLECTED);
  const collected = await collectMeasurement(audit, file, algorithm, directIo);
  if (collected.ok) {
    markDone(ima, moment, access, IMA_COLLECTED);
  }
  // Measuring (ima_store_measurement) belongs here: what is refused below has been measured.
  const outcome = todo.appraise
    ? await appraise(moment, audit, file, collected) // ima_appraise_measurement
    : withoutAppraisal(decision, collected);
  if (todo.appraise && outcome.wanted && outcome.cause === undefined) {
    // Only an equal digest is kept: who passed because the file is new passes until it is settled.
    markDone(ima, moment, access, IMA_APPRAISED[todo.appraise]); // ima_cache_flags
  }
  // Of two opens that waited for the same digest one writes the record.
  if (todo.audit && collected.ok && markDone(ima, moment, access, IMA_AUDITED)) {
    audit.measurement(collected.digest); // ima_audit_measurement
  }
  return conclude(ima, moment, access, decision, outcome);
}

/** ima_get_action: with ima_appraise=off appraise rules are not even looked at. */
function getAction({ policy, mode }: Ima, { hook, mask, subject, file }: Access): PolicyDecision {
  const { families } = policy;
  const active =
    mode === 'off' ? new Set([...families].filter((family) => family !== 'appraise')) : families;
  return matchPolicy(policy, { hook, mask, subject, object: file.object }, active);
}

/** TMPFS_MAGIC, RAMFS_MAGIC */
const TRACELESS: ReadonlySet<number> = new Set([0x01021994, 0x858458f6]);

function demandsAnything({ measure, appraise, audit, hash }: PolicyDecision): boolean {
  return measure || appraise !== undefined || audit || hash;
}

/**
 * Whether the iint's done bits count for this access. They outlive a change of the file only while
 * a writer whose open was itself judged here is about, and no other namespace's.
 */
function resultsStand(iint: Iint, access: Access, { generation }: Moment): boolean {
  const { file, writersOwn } = access;
  return (
    (mayKeepResults(access) && iint.speaksFor(file.version, generation)) ||
    (writersOwn && iint.hasWriter() && iint.generation === generation)
  );
}

/** Once its page is dirty, a store through a mapping moves no version. */
function mayKeepResults({ file, writersOwn }: Access): boolean {
  return file.mayKeep || writersOwn;
}

function remainingActions(
  { appraise, audit }: PolicyDecision,
  iint: Iint,
  { file, writersOwn }: Access,
): Pick<PolicyDecision, 'appraise' | 'audit'> {
  // Where stores through a mapping move no times, an equal version says nothing of the content.
  const passStands = !TRACELESS.has(file.object.fsMagic) || (writersOwn && iint.hasWriter());
  const passed = appraise && passStands && iint.has(IMA_APPRAISED[appraise]);
  return {
    appraise: passed ? undefined : appraise,
    audit: audit && !iint.has(IMA_AUDITED),
  };
}

/**
 * Notes what was done for this version. Another access may have moved the iint while this one
 * waited: then it is not for this version any more, and the work counts as done for this access
 * alone, as it does while others may be writing. False only if another access did the same meanwhile.
 */
function markDone(ima: Ima, { generation }: Moment, access: Access, bits: number): boolean {
  const { file } = access;
  if (!mayKeepResults(access)) {
    return true;
  }
  const iint = ima.iints.find(file.node);
  if (!iint?.speaksFor(file.version, generation)) {
    return true;
  }
  const first = !iint.has(bits);
  iint.flags |= bits;
  return first;
}
