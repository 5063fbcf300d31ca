import { checkEntries } from '../ima/list/check-entries.js';
import {
  changedText,
  type MeasuredList,
  type PcrFinding,
  type PcrProblem,
} from './compare-pcrs.js';
import { entryText } from './entry-json.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import type { Output } from './output.js';
import { UserError } from './user-error.js';

/** What verifying a list came to. */
export interface ListReport {
  readonly entries: number;
  readonly violations: number;
  readonly findings: readonly PcrFinding[];
  /** What is wrong first; undefined: the list is verified. */
  readonly problem: ListDifference | undefined;
}

/**
 * `kind`: of a PCR; or the TPM's values cannot be had; or an entry does not fit its own hash, or is of a
 * template nobody knows.
 */
export type ListDifference = Omit<PcrProblem, 'kind'> & {
  readonly kind: PcrProblem['kind'] | 'no-pcrs' | 'unknown-template';
};

/** Puts together what is known of lists (of one namespace, one for each bank) and its PCRs. */
export function listReport(
  lists: readonly MeasuredList[],
  findings: readonly PcrFinding[],
  /** Why there are no findings. */
  tpmProblem?: string,
): ListReport {
  const longest = lists.reduce<MeasuredList['entries']>(
    (most, { entries }) => (entries.length > most.length ? entries : most),
    [],
  );
  const withoutPcrs: ListDifference | undefined =
    tpmProblem === undefined
      ? undefined
      : { kind: 'no-pcrs', message: tpmProblem, entry: undefined };
  const differing = findings.find(({ problem }) => problem !== undefined)?.problem;
  const ownProblems = lists.flatMap((list) => ownProblem(list) ?? []);
  return {
    entries: longest.length,
    violations: longest.filter(({ isViolation }) => isViolation).length,
    findings,
    problem: differing ?? ownProblems[0] ?? withoutPcrs,
  };
}

/** What is wrong with a list by itself. */
function ownProblem({ bank, entries }: MeasuredList): ListDifference | undefined {
  const [misfit] = checkEntries(entries, bank);
  if (misfit !== undefined) {
    const { entry } = misfit;
    return { kind: 'changed', message: changedText(entry), entry };
  }
  const strange = entries.find(({ template }) => template === undefined);
  if (strange === undefined) return undefined;
  const message = `${entryText(strange)} is of template '${strange.templateName}', which IMA does not have`;
  return { kind: 'unknown-template', message, entry: strange };
}

/** One line for each PCR, and one for the list. */
export function showReport(output: Output, report: ListReport): void {
  const { entries, violations, findings, problem } = report;
  for (const finding of findings) {
    const { bank, pcr, value, replayed } = finding;
    const matches = value === undefined ? undefined : finding.problem === undefined;
    const fields = {
      bank,
      pcr,
      value: value && hex(value),
      replayed: hex(replayed),
      match: matches ?? (finding.problem === undefined ? null : false),
      entries: finding.entries,
      violations: finding.violations,
      problem: finding.problem && differenceJson(finding.problem),
    };
    output.result('pcr', fields, findingText(output, finding));
  }
  output.result(
    'list',
    {
      entries,
      violations,
      verified: problem === undefined,
      problem: problem && differenceJson(problem),
    },
    problem === undefined
      ? `${entries} entries, ${violations} violations: ${output.style('green', 'each fits its hash')}`
      : undefined,
  );
}

/** What a report ends a command with. */
export function exitCodeOf({ problem }: ListReport): ExitCode {
  if (problem === undefined) return EXIT.ok;
  return problem.kind === 'no-pcrs' ? EXIT.tpm : EXIT.problems;
}

/** Throws if the list is not verified. */
export function demandVerified(report: ListReport): void {
  const { problem } = report;
  if (problem === undefined) return;
  const code = problem.kind === 'no-pcrs' ? 'no-pcrs' : 'list-differs';
  throw new UserError(exitCodeOf(report), code, problem.message, HINTS[problem.kind]);
}

const HINTS: Readonly<Record<ListDifference['kind'], readonly string[]>> = {
  behind: ['the list was given more entries, or the PCR was reset since'],
  changed: [],
  unrelated: [
    'entries were dropped, added or put in another order, or the PCR was extended with more than them',
  ],
  'no-pcrs': ['imafs status shows the state of the TPM'],
  'no-value': ['every PCR that the list uses is needed'],
  'unknown-template': ['imafs log show --json FILE shows its fields'],
};

export function differenceJson({ kind, message, entry }: ListDifference): {
  kind: string;
  message: string;
  entry: number | undefined;
} {
  return { kind, message, entry: entry?.number };
}

function findingText(output: Output, finding: PcrFinding): string {
  const { bank, pcr, value, replayed, entries, violations, problem } = finding;
  const head = `${bank.padEnd(6)} PCR ${pcr}:`;
  const counts = `(${entries} entries, ${violations} violations)`;
  if (problem !== undefined) {
    const has = value === undefined ? '' : `\n  PCR has    ${hex(value)}`;
    return `${head} ${output.style('red', 'differs')} ${counts}${has}\n  list gives ${hex(replayed)}`;
  }
  const word = value === undefined ? 'replayed' : output.style('green', 'matches');
  return `${head} ${word} ${counts} ${hex(value ?? replayed)}`;
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
