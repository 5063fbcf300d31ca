/** The policy that the system namespace starts with. */
import { failure, type Result, success } from '../base/result.js';
import type { StartPolicy } from '../daemon-options.js';
import { builtinPolicy } from '../ima/policy/builtin.js';
import type { PolicyMachine } from '../ima/policy/condition.js';
import { parsePolicy } from '../ima/policy/parse-policy.js';
import { Policy } from '../ima/policy/policy.js';

/** The problem is a sentence with source, line and column. */
export const startPolicy = (start: StartPolicy, machine: PolicyMachine): Result<Policy, string> => {
  switch (start.kind) {
    case 'none':
      return success(Policy.empty);
    case 'builtin':
      return builtinPolicy(start.names);
    case 'text': {
      const rules = parsePolicy(start.text, start.source, machine);
      if (rules.ok) return success(new Policy(rules.value));
      const lines = rules.problem.map(
        ({ line, column, message, hint }) =>
          `${start.source}:${line}:${column}: ${message}: ${hint}`,
      );
      return failure(lines.join('\n'));
    }
  }
};
