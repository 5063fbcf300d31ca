import { type Finding, lintPolicy, type Severity } from '../ima/policy/lint/lint-policy.js';
import { showRule } from '../ima/policy/show-rule.js';
import type { Invocation } from './command.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { type FileSystemFacts, fileSystemFacts } from './file-system-facts.js';
import type { Output, Style } from './output.js';
import { demandAllValid, showProblems } from './policy-check.js';
import { type GivenPolicy, readPolicy } from './policy-text.js';
import { printable } from './printable.js';
import { UserError } from './user-error.js';

const STYLES: Readonly<Record<Severity, Style>> = { error: 'red', warning: 'yellow', note: 'dim' };

type Counts = Record<Severity, number>;

/** `imafs policy lint`: what is useless, dangerous or odd in policies that are valid. */
export async function policyLint({ operands, options, output }: Invocation): Promise<ExitCode> {
  const directory = options.text('backing');
  const backing =
    directory === undefined ? undefined : await fileSystemFacts(directory, options.text('control'));
  const all: Counts = { error: 0, warning: 0, note: 0 };
  let invalid = 0;
  for (const operand of operands) {
    const given = await readPolicy(operand);
    if (!given.policy.ok) invalid += 1;
    const counts = lint(output, given, backing);
    for (const severity of ['error', 'warning', 'note'] as const) all[severity] += counts[severity];
  }
  demandAllValid(invalid, operands.length);
  if (all.error + all.warning === 0) return EXIT.ok;
  throw new UserError(EXIT.problems, 'policy-findings', inWords(all));
}

function lint(output: Output, given: GivenPolicy, backing: FileSystemFacts | undefined): Counts {
  const { source, policy } = given;
  const counts: Counts = { error: 0, warning: 0, note: 0 };
  if (!policy.ok) {
    showProblems(output, given);
    return counts;
  }
  for (const finding of lintPolicy({ policy: policy.value, backing })) {
    counts[finding.severity] += 1;
    showFinding(output, source, finding);
  }
  const { length: rules } = policy.value.rules;
  const { error: errors, warning: warnings, note: notes } = counts;
  const summary = { file: source, valid: true, rules, errors, warnings, notes };
  output.result('policy', summary, `${source}: ${inWords(counts)}`);
  return counts;
}

function showFinding(output: Output, file: string, finding: Finding): void {
  const { severity, code, rule } = finding;
  const [message, remedy] = [printable(finding.message), printable(finding.remedy)];
  const text = rule && showRule(rule).trimEnd();
  const at = rule === undefined ? file : `${rule.source}:${rule.line}`;
  const lines = [
    `${at}: ${output.style(STYLES[severity], severity)}: ${message} [${code}]`,
    ...(text === undefined ? [] : [`    ${printable(text)}`]),
    `  remedy: ${remedy}`,
  ];
  const fields = { file, line: rule?.line, severity, code, message, remedy, rule: text };
  output.result('finding', fields, lines.join('\n'));
}

function inWords({ error, warning, note }: Counts): string {
  return [countOf(error, 'error'), countOf(warning, 'warning'), countOf(note, 'note')].join(', ');
}

function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
