import type { Invocation } from './command.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { printableProblem, readPolicy } from './policy-text.js';
import { UserError } from './user-error.js';

/** Problems of one file shown on a terminal; --json has all. */
const MOST_SHOWN = 100;

/** `imafs policy check`: all problems of policies, without a daemon. */
export async function policyCheck({ operands, output }: Invocation): Promise<ExitCode> {
  let invalid = 0;
  for (const operand of operands) {
    const { source, isBuiltin, policy } = await readPolicy(operand);
    if (policy.ok) {
      const { length } = policy.value.rules;
      const text = `${source}: ok, ${countOf(length)}${isBuiltin ? ' (built in)' : ''}`;
      output.result('policy', { file: source, valid: true, rules: length }, text);
      continue;
    }
    invalid += 1;
    const { problem: problems } = policy;
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
  if (invalid === 0) return EXIT.ok;
  const message = `${invalid} of ${operands.length} not valid`;
  throw new UserError(EXIT.badPolicy, 'policy-invalid', message);
}

export function countOf(rules: number): string {
  return rules === 1 ? '1 rule' : `${rules} rules`;
}
