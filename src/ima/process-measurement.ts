import type { Access } from './access.js';
import { type Collected, type Collecting, collectMeasurement } from './collect-measurement.js';
import { allow, conclude } from './conclude.js';
import { hashAlgorithmByName } from './digest/hash-algorithms.js';
import {
  type Iint,
  IMA_APPRAISED,
  IMA_AUDITED,
  IMA_COLLECTED,
  IMA_DIGSIG,
  IMA_HASHED,
  IMA_NEW_FILE,
} from './iint.js';
import {
  markDone,
  markMeasured,
  measuringStands,
  remainingActions,
  resultsStand,
  type Todo,
} from './iint-results.js';
import type { Ima } from './ima.js';
import { isNewFile } from './is-new-file.js';
import {
  appraise,
  type Moment,
  NOT_APPRAISED,
  PASSED_BEFORE,
  withoutAppraisal,
} from './outcome.js';
import { matchPolicy, type PolicyDecision } from './policy/match-policy.js';
import type { AppendedSignature, AuditPort, Digest, HashAlgorithm, Hook } from './ports.js';
import {
  hasModsig,
  type Measurement,
  measurementOf,
  storeMeasurement,
} from './store-measurement.js';
import type { EventData } from './template/field.js';
import { IMA_TEMPLATE_IMA_NAME } from './template/template.js';
import type { Denied, Verdict } from './verdict.js';
import { checkReaderViolation, checkWriterViolation } from './violation-check.js';
import { hashAlgorithmOfXattr } from './xattr/decode-xattr.js';

export type { Access } from './access.js';
export type { Allowed, Denied, Verdict } from './verdict.js';

/**
 * process_measurement (ima_main.c) for one hook of one request. Rejects with FileMoved if the file
 * changed while it was read, and is then to be asked anew; what cannot be read is recorded, and
 * refused where it is measured or appraised.
 */
export async function processMeasurement(
  ima: Ima,
  audit: AuditPort,
  access: Access,
): Promise<Verdict> {
  const { file } = access;
  const moment: Moment = { generation: ima.generation, mode: ima.mode };

  const decision = getAction(ima, access); // ima_get_action
  const violated = await checkViolation(ima, audit, access, decision); // ima_rdwr_violation_check
  if (violated !== undefined) {
    return unrecorded(decision, 'invalid_pcr', violated);
  }
  if (!demandsAnything(decision)) {
    return allow(decision, NOT_APPRAISED, { mayUpdateXattr: false, cacheable: true });
  }
  const iint = ima.iints.obtain(file.node); // ima_inode_get
  if (!resultsStand(iint, access, moment)) {
    // IMA_CHANGE_XATTR, IMA_CHANGE_ATTR, change cookie
    iint.reset(file.version, moment.generation, measuringStands(iint, access, moment));
  }
  if (decision.hash) {
    iint.flags |= IMA_HASHED; // a hash rule marks the file for the last writer and does no more
  }
  const todo = remainingActions(ima, decision, iint, access); // IMA_DO_MASK less IMA_DONE_MASK
  if (!todo.measure && !todo.appraise && !todo.audit) {
    const outcome = decision.appraise ? PASSED_BEFORE : NOT_APPRAISED; // ima_get_cache_status
    return conclude(ima, moment, audit, access, decision, outcome);
  }

  const isNew = isNewFile(ima, access);
  const modsig = await readModsig(access, decision); // ima_read_modsig
  const collecting = { ...collectingOf(ima, access, iint, todo), verity: decision.demands.verity };
  const collected = await collectMeasurement(audit, file, collecting); // ima_collect_measurement
  if (collected.ok) {
    markDone(ima, moment, access, IMA_COLLECTED);
  }
  const measurement = todo.measure ?? measurementOfModsig(ima, decision, modsig);
  if (measurement) {
    const event = { isVerity: decision.demands.verity, modsig };
    const unmeasured = await measure(ima, audit, access, collected, event, measurement); // ima_store_measurement
    if (unmeasured) {
      return unrecorded(decision, unmeasured.op, unmeasured.cause);
    }
    markMeasured(ima, moment, access, measurement.pcr);
  }
  const outcome = todo.appraise
    ? await appraise(ima, moment, audit, decision, { file, isNew, collected, modsig }) // ima_appraise_measurement
    : withoutAppraisal(decision, collected);
  if (todo.appraise && isNew) {
    iint.flags |= IMA_NEW_FILE;
  }
  if (todo.appraise && outcome.cause === undefined && !isNew) {
    // Who passed because the file is new passes until it is settled.
    markDone(ima, moment, access, IMA_APPRAISED[todo.appraise]); // ima_cache_flags
  }
  if (outcome.isSigned) {
    markDone(ima, moment, access, IMA_DIGSIG);
  }
  // Of two opens that waited for the same digest one writes the record.
  if (todo.audit && collected.ok && markDone(ima, moment, access, IMA_AUDITED)) {
    audit.measurement(collected.digest); // ima_audit_measurement
  }
  return conclude(ima, moment, audit, access, decision, outcome);
}

/** ima_get_action: with ima_appraise=off appraise rules are not even looked at. */
function getAction({ policy, mode }: Ima, { hook, mask, subject, file }: Access): PolicyDecision {
  const { families } = policy;
  const active =
    mode === 'off' ? new Set([...families].filter((family) => family !== 'appraise')) : families;
  return matchPolicy(policy, { hook, mask, subject, object: file.object }, active);
}

/** Only the hooks of opening and mapping look for violations, and only where measuring is about. */
async function checkViolation(
  ima: Ima,
  audit: AuditPort,
  access: Access,
  { measure: mustMeasure }: PolicyDecision,
): Promise<string | undefined> {
  if (!VIOLABLE.has(access.hook) || !ima.policy.has('measure')) {
    return undefined;
  }
  if (access.writable) {
    return checkWriterViolation(ima, audit, access);
  }
  return mustMeasure ? checkReaderViolation(ima, audit, access) : undefined;
}

const VIOLABLE: ReadonlySet<Hook> = new Set(['FILE_CHECK', 'MMAP_CHECK', 'MMAP_CHECK_REQPROT']);

/** READING_MODULE and the like: the kernel has the whole file in memory, with what is behind its end. */
const READ_HOOKS: ReadonlySet<Hook> = new Set([
  'MODULE_CHECK',
  'KEXEC_KERNEL_CHECK',
  'KEXEC_INITRAMFS_CHECK',
]);

function readModsig(
  { file, hook }: Access,
  { demands }: PolicyDecision,
): Promise<AppendedSignature | undefined> {
  const isRead = demands.signature === 'imasig|modsig' && READ_HOOKS.has(hook);
  return isRead ? file.appendedSignature() : Promise.resolve(undefined);
}

/** What was measured without its modsig is measured again with it, if the template shows that. */
function measurementOfModsig(
  ima: Ima,
  { measure: mustMeasure, rules }: PolicyDecision,
  modsig: AppendedSignature | undefined,
): Measurement | undefined {
  const measurement = mustMeasure && modsig ? measurementOf(ima, rules.measure) : undefined;
  return measurement && hasModsig(measurement.template) ? measurement : undefined;
}

/** The template of old shows no security.ima, so that its algorithm is not looked for. */
function collectingOf(
  ima: Ima,
  { file, directIo }: Access,
  iint: Iint,
  todo: Todo,
): Omit<Collecting, 'verity'> {
  const looksAtXattr = todo.appraise || todo.measure?.template.name !== IMA_TEMPLATE_IMA_NAME;
  const xattr = looksAtXattr ? file.imaXattr : undefined;
  const algorithm = hashAlgorithmOfXattr(xattr, ima.hashAlgorithm); // ima_get_hash_algo
  return { algorithm, directIo: directIo && !iint.has(IMA_COLLECTED) };
}

/** Undefined: measured. What cannot be read is not let through unmeasured, as it is by the kernel. */
async function measure(
  ima: Ima,
  audit: AuditPort,
  access: Access,
  collected: Collected,
  event: Pick<EventData, 'isVerity' | 'modsig'>,
  measurement: Measurement,
): Promise<{ readonly op: Denied['op']; readonly cause: string } | undefined> {
  if (!collected.ok && collected.cause !== 'failed(directio)') {
    return { op: 'collect_data', cause: collected.cause };
  }
  const digest = collected.ok ? collected.digest : zeroDigest(ima.hashAlgorithm);
  const cause = await storeMeasurement(ima, audit, access, { ...event, digest }, measurement);
  return cause === undefined ? undefined : { op: 'add_template_measure', cause };
}

/** What ima_calc_file_hash leaves of a file opened with O_DIRECT, and the list then shows. */
function zeroDigest(algorithm: HashAlgorithm): Digest {
  return { algorithm, bytes: new Uint8Array(hashAlgorithmByName(algorithm)?.digestBytes ?? 0) };
}

/** No access without its entry: refused whatever the mode, unlike by the kernel. */
function unrecorded(decision: PolicyDecision, op: Denied['op'], cause: string): Verdict {
  const { status, found, wanted } = NOT_APPRAISED;
  const { measure: rule } = decision.rules;
  return { allowed: false, errno: 'EIO', op, cause, rule, decision, status, found, wanted };
}

function demandsAnything({ measure: must, appraise: slot, audit, hash }: PolicyDecision): boolean {
  return must || slot !== undefined || audit || hash;
}
