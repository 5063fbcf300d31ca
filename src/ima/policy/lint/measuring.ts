import { MAY_WRITE } from '../../ports.js';
import type { Rule } from '../rule.js';
import type { Finding, Linted } from './finding.js';
import { calls } from './hooks-that-run.js';
import { matchesCall } from './matches-call.js';

const TMPFS_MAGIC = 0x01021994;

/** `measure` rules that fill a list with what says nothing, and exceptions that let programs through. */
export function measuring({ policy: { rules } }: Linted): Finding[] {
  return rules.flatMap((rule) => [...measuresWrites(rule), ...unmeasuredPrograms(rule)]);
}

/** An open for writing measures what is to change; the next reader beside it is a violation. */
function measuresWrites(rule: Rule): Finding[] {
  const isMatched = calls.some(
    (call) =>
      call.hook === 'FILE_CHECK' && (call.mask & MAY_WRITE) !== 0 && matchesCall(rule, call),
  );
  // mask=^MAY_READ takes in who reads and writes: so says tcb.
  const isOfReading = rule.mask?.inverted === true && rule.mask.bit !== MAY_WRITE;
  if (rule.action !== 'measure' || !isMatched || isOfReading) {
    return [];
  }
  const message =
    'opens for writing are measured too: an entry for what is about to change, and violations';
  const remedy = 'add func=FILE_CHECK mask=^MAY_READ, or func=BPRM_CHECK for programs alone';
  return [{ severity: 'warning', code: 'measures-writes', rule, message, remedy }];
}

/** tcb leaves out of tmpfs only what is read: a program there is as good as anywhere else. */
function unmeasuredPrograms(rule: Rule): Finding[] {
  const { action, func, mask, fsmagic, fsname } = rule;
  const isTmpfs = fsmagic === TMPFS_MAGIC || fsname === 'tmpfs';
  if (action !== 'dont_measure' || !isTmpfs || func !== undefined || mask !== undefined) {
    return [];
  }
  const message = 'programs on tmpfs are not measured either, and anybody may put one into /tmp';
  const remedy = 'add func=FILE_CHECK, as tcb has it';
  return [{ severity: 'note', code: 'unmeasured-programs', rule, message, remedy }];
}
