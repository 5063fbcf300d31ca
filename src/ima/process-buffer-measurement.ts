import { bufferEvent } from './buffer-event.js';
import type { Ima } from './ima.js';
import { matchPolicy } from './policy/match-policy.js';
import type { Rule } from './policy/rule.js';
import type { AuditPort, ObjectFacts, Subject } from './ports.js';
import { addEntry, entryOf, measurementOf } from './store-measurement.js';
import { templateByName } from './template/template.js';

/** Data that is no file, and may have to be measured. */
export interface MeasuredBuffer {
  readonly hook: 'KEY_CHECK' | 'CRITICAL_DATA';
  /** What lists show where files have their path. */
  readonly eventName: string;
  /** func_data: the keyring of KEY_CHECK, the label of CRITICAL_DATA. */
  readonly data: string;
  readonly bytes: Uint8Array;
  /** Asked once a rule wants it: false where its maker has had his share of the list. */
  readonly mayBeAdded?: () => boolean;
}

/** ima_hooks_measure_str (ima.h) */
const OPERATIONS = {
  KEY_CHECK: 'measuring_key',
  CRITICAL_DATA: 'measuring_critical_data',
} as const;

/** No condition of these hooks looks at it. */
const NO_FILE: ObjectFacts = { uid: 0, gid: 0, fsMagic: 0, fsName: '', fsUuid: undefined };

/**
 * process_buffer_measurement (ima_main.c). Undefined: measured, or no rule wants it; else the cause for
 * which it could not be, and must not be let pass.
 */
export async function processBufferMeasurement(
  ima: Ima,
  audit: AuditPort,
  subject: Subject,
  { hook, eventName, data, bytes, mayBeAdded }: MeasuredBuffer,
): Promise<string | undefined> {
  const query = { hook, mask: 0, subject, object: NO_FILE, data };
  const families = new Set(ima.policy.has('measure') ? (['measure'] as const) : []);
  const { measure: isWanted, rules } = matchPolicy(ima.policy, query, families);
  if (!isWanted) {
    return undefined;
  }
  const { pcr, template } = measurementOf(byBufferTemplate(ima), rules.measure);
  const event = bufferEvent(eventName, bytes, ima.hashAlgorithm);
  const cause =
    mayBeAdded?.() === false ? 'EDQUOT' : await addEntry(ima, audit, entryOf(template, pcr, event));
  if (cause !== undefined) {
    const op = OPERATIONS[hook];
    audit.integrity({ type: 1804, op, cause: 'store_entry', result: 0, errno: 0 });
  }
  return cause;
}

/**
 * ima_check_blacklist: a file whose digest is blacklisted, and that is measured, gets an entry of this as
 * well. The access is refused in any case.
 */
export async function measureBlacklistedHash(
  ima: Ima,
  audit: AuditPort,
  digest: Uint8Array,
  rule: Rule | undefined,
): Promise<void> {
  const { template } = byBufferTemplate(ima);
  const { pcr } = measurementOf(ima, rule);
  const event = bufferEvent('blacklisted-hash', digest, ima.hashAlgorithm);
  await addEntry(ima, audit, entryOf(template, pcr, event));
}

/** ima_template_desc_buf: a template that shows the data, unless a rule names another. */
function byBufferTemplate(ima: Ima): Ima {
  return { ...ima, template: templateByName('ima-buf') ?? ima.template };
}
