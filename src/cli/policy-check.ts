import type { Invocation } from './command.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import type { Output } from './output.js';
import { type GivenPolicy, printableProblem, readPolicy } from './policy-text.js';
import { UserError } from './user-error.js';

/** Problems of one file shown on a terminal; --json has all. */
const MOST_SHOWN = 100;

/** `imafs policy check`: all problems of policies, without a daemon. */
export async function policyCheck({ operands, output }: Invocation): Promise<ExitCode> {
  let invalid = 0;
  for (const operand of operands) {
    const given = await readPolicy(operand);
    const { source, isBuiltin, policy } = given;
    if (policy.ok) {
      const { length } = policy.value.rules;
      const text = `${source}: ok, ${countOf(length)}${isBuiltin ? ' (built in)' : ''}`;
      output.result('policy', { file: source, valid: true, rules: length }, text);
    } else {
      invalid += 1;
      showProblems(output, given);
    }
  }
  demandAllValid(invalid, operands.length);
  return EXIT.ok;
}

/** Each problem of a policy that is not valid, and how many there are. */
export function showProblems(output: Output, { source, policy }: GivenPolicy): void {
  const problems = policy.ok ? [] : policy.problem;
  for (const [index, problem] of problems.entries()) {
    const { line, column, token, message, hint } = printableProblem(problem);
    const word = token === '' ? '' : `'${token}': `;
    const text = `${source}:${line}:${column}: ${word}${message}\n  hint: ${hint}`;
    const fields = { file: source, line, column, token, message, hint };
    output.result('problem', fields, index < MOST_SHOWN ? text : undefined);
  }
  const rest = problems.length - MOST_SHOWN;
  const summary = { file: source, valid: false, problems: problems.length };
  output.result('policy', summary, rest > 0 ? `${source}: and ${rest} more` : undefined);
}

export function demandAllValid(invalid: number, policies: number): void {
  if (invalid === 0) return;
  throw new UserError(EXIT.badPolicy, 'policy-invalid', `${invalid} of ${policies} not valid`);
}

export function countOf(rules: number): string {
  return rules === 1 ? '1 rule' : `${rules} rules`;
}
