import { MOST_PROBLEMS } from '../ima/policy/parse-policy.js';
import type { Invocation } from './command.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import type { Output } from './output.js';
import { type GivenPolicy, printableProblem, readPolicy } from './policy-text.js';
import { UserError } from './user-error.js';

/** `imafs policy check`: the problems of policies, without a daemon. */
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

/** Each problem of a policy that is not valid, as far as it was read, and how many there are. */
export function showProblems(output: Output, { source, policy }: GivenPolicy): void {
  const problems = policy.ok ? [] : policy.problem;
  for (const problem of problems) {
    const { line, column, token, message, hint } = printableProblem(problem);
    const word = token === '' ? '' : `'${token}': `;
    const text = `${source}:${line}:${column}: ${word}${message}\n  hint: ${hint}`;
    const fields = { file: source, line, column, token, message, hint };
    output.result('problem', fields, text);
  }
  const summary = { file: source, valid: false, problems: problems.length };
  const isCut = problems.length >= MOST_PROBLEMS;
  const text = `${source}: not read any further than ${MOST_PROBLEMS} problems`;
  output.result('policy', summary, isCut ? text : undefined);
}

export function demandAllValid(invalid: number, policies: number): void {
  if (invalid === 0) return;
  throw new UserError(EXIT.badPolicy, 'policy-invalid', `${invalid} of ${policies} not valid`);
}

export function countOf(rules: number): string {
  return rules === 1 ? '1 rule' : `${rules} rules`;
}
