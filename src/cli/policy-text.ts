import { readFileSync } from 'node:fs';

import { errnoOf } from '../base/errno.js';
import { type PolicyProblem, parsePolicy } from '../ima/policy/parse-policy.js';
import { Policy } from '../ima/policy/policy.js';
import { EXIT } from './exit-codes.js';
import { policyMachine } from './policy-machine.js';
import { UserError } from './user-error.js';

/** How many problems a message shows; `policy check` shows all. */
const SHOWN = 5;

export function readPolicyFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UserError(
      EXIT.badPolicy,
      'no-policy',
      `policy file ${path} cannot be read: ${errnoOf(error)}`,
    );
  }
}

/** `source:line:column: 'word': message` and below it the hint. */
export function problemText(source: string, problem: PolicyProblem): string {
  const { line, column, token, message, hint } = problem;
  return `${source}:${line}:${column}: '${token}': ${message}\n  hint: ${hint}`;
}

/** The policy a text spells out; throws a UserError with its first problems otherwise. */
export function demandValidPolicy(text: string, source: string): Policy {
  const parsed = parsePolicy(text, source, policyMachine());
  if (parsed.ok) return new Policy(parsed.value);
  const shown = parsed.problem.slice(0, SHOWN);
  throw new UserError(EXIT.badPolicy, 'policy-invalid', `policy ${source} is not valid`, [
    ...shown.map(
      ({ line, column, message, hint }) => `${source}:${line}:${column}: ${message}: ${hint}`,
    ),
    ...(parsed.problem.length > SHOWN ? [`imafs policy check ${source} shows all`] : []),
  ]);
}
