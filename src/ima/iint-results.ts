/** What an iint remembers of one access for the next, and when that counts. */
import type { Access } from './access.js';
import { type Iint, IMA_APPRAISED, IMA_AUDITED, IMA_CHANGE_ATTR } from './iint.js';
import type { Ima } from './ima.js';
import type { Moment } from './outcome.js';
import type { Demands, PolicyDecision } from './policy/match-policy.js';
import type { ImaFile } from './ports.js';
import { type Measurement, measurementOf } from './store-measurement.js';

/** TMPFS_MAGIC, RAMFS_MAGIC */
const TRACELESS: ReadonlySet<number> = new Set([0x01021994, 0x858458f6]);

/**
 * Whether the iint's done bits count for this access. They outlive a change of the file only while
 * writers are about, and no other namespace's: if the open of one was itself judged here, or if they
 * were earned before the first of them opened it.
 */
export function resultsStand(iint: Iint, access: Access, { generation }: Moment): boolean {
  const { file, writersOwn, writersSince } = access;
  return (
    (mayKeepResults(access) && iint.speaksFor(file.version, generation)) ||
    (writersOwn &&
      (iint.hasWriter() || iint.version === writersSince) &&
      iint.generation === generation)
  );
}

/** A file is measured anew when its writers are gone; what they do meanwhile is a violation. */
export function measuringStands(
  iint: Iint,
  { writersOwn }: Access,
  { generation }: Moment,
): boolean {
  return writersOwn && iint.generation === generation;
}

/** Once its page is dirty, a store through a mapping moves no version. */
function mayKeepResults({ file, writersOwn }: Access): boolean {
  return file.mayKeep || writersOwn;
}

/** What is left to be done for one access. */
export interface Todo extends Pick<PolicyDecision, 'appraise' | 'audit'> {
  readonly measure: Measurement | undefined;
}

/** IMA_DO_MASK less IMA_DONE_MASK. */
export function remainingActions(
  ima: Ima,
  { measure: mustMeasure, appraise: slot, audit, rules, demands }: PolicyDecision,
  iint: Iint,
  { file, writersOwn }: Access,
): Todo {
  // Where stores through a mapping move no times, an equal version says nothing of the content.
  const resultsLast = !TRACELESS.has(file.object.fsMagic) || (writersOwn && iint.hasWriter());
  const measurement = mustMeasure ? measurementOf(ima, rules.measure) : undefined;
  const isMeasured = measurement && resultsLast && iint.isMeasured(measurement.pcr);
  const passed =
    slot &&
    resultsLast &&
    iint.has(IMA_APPRAISED[slot]) &&
    !(iint.has(IMA_CHANGE_ATTR) && looksAtMore(demands, file));
  return {
    measure: isMeasured ? undefined : measurement,
    appraise: passed ? undefined : slot,
    audit: audit && !iint.has(IMA_AUDITED),
  };
}

/**
 * Whether an appraisal looks at more than the content, and a change of owner or mode makes a difference to
 * it: another rule may match now, and portable signatures of EVM cover both. The kernel appraises again in
 * any case, by the digest of before.
 */
function looksAtMore({ signature, verity, failsSecurely, algorithms }: Demands, file: ImaFile) {
  const demandsMore = signature !== undefined || verity || failsSecurely || algorithms;
  return demandsMore || file.xattr('security.evm') !== undefined;
}

/**
 * Notes what was done for this version. Another access may have moved the iint while this one
 * waited: then it is not for this version any more, and the work counts as done for this access
 * alone, as it does while others may be writing. False only if another access did the same meanwhile.
 */
export function markDone(ima: Ima, moment: Moment, access: Access, bits: number): boolean {
  const iint = iintToMark(ima, moment, access);
  const first = !iint?.has(bits);
  if (iint) {
    iint.flags |= bits;
  }
  return first;
}

/** IMA_MEASURED; never for O_DIRECT, which may read something else than the page cache has. */
export function markMeasured(ima: Ima, moment: Moment, access: Access, pcr: number): void {
  if (!access.directIo) {
    iintToMark(ima, moment, access)?.setMeasured(pcr);
  }
}

function iintToMark(ima: Ima, { generation }: Moment, access: Access): Iint | undefined {
  const { file } = access;
  const iint = mayKeepResults(access) ? ima.iints.find(file.node) : undefined;
  return iint?.speaksFor(file.version, generation) ? iint : undefined;
}
