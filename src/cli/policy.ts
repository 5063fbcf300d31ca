import { parsePolicy } from '../ima/policy/parse-policy.js';
import { Policy } from '../ima/policy/policy.js';
import { showRule } from '../ima/policy/show-rule.js';
import type { Invocation } from './command.js';
import { type ControlClient, connect } from './control-client.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { readStatus } from './mount-status.js';
import { policyMachine } from './policy-machine.js';
import { demandValidPolicy, problemText, readPolicyFile } from './policy-text.js';
import { UserError } from './user-error.js';

/** `imafs policy check`: all problems of policy files, without a daemon. */
export function policyCheck({ operands, output }: Invocation): ExitCode {
  let invalid = 0;
  for (const file of operands) {
    const parsed = parsePolicy(readPolicyFile(file), file, policyMachine());
    if (parsed.ok) {
      const rules = parsed.value.length;
      output.result('policy', { file, valid: true, rules }, `${file}: ok, ${countOf(rules)}`);
      continue;
    }
    invalid += 1;
    for (const problem of parsed.problem) {
      output.result('problem', { file, ...problem }, problemText(file, problem));
    }
    output.result('policy', { file, valid: false, problems: parsed.problem.length }, undefined);
  }
  if (invalid === 0) return EXIT.ok;
  throw new UserError(
    EXIT.badPolicy,
    'policy-invalid',
    `${invalid} of ${operands.length} not valid`,
  );
}

/** `imafs policy load`: a file into a namespace. */
export function policyLoad({ operands, options, output }: Invocation): ExitCode {
  const [mountpoint = '', file = ''] = operands;
  const text = readPolicyFile(file);
  const { rules } = demandValidPolicy(text, file);
  const client = connect(mountpoint, options.text('control'));
  const namespace = options.text('ns') ?? client.ownNamespace();
  loadPolicy(client, namespace, text, file);
  output.result(
    'loaded',
    { file, namespace: Number(namespace), rules: rules.length },
    `${countOf(rules.length)} loaded into namespace ${namespace}`,
  );
  return EXIT.ok;
}

/**
 * Writes a policy line by line, so that the daemon counts lines as its source does. Either all of it is
 * in force afterwards, or nothing of it.
 */
export function loadPolicy(
  client: ControlClient,
  namespace: string,
  text: string,
  source: string,
): void {
  client.writeLines(`${namespace}/policy`, text.replace(/\n$/, '').split('\n'), (code, index) => {
    const at = index === undefined ? 'at the end' : `at ${source}:${index + 1}`;
    if (code === 'EBUSY') {
      return new UserError(EXIT.runtime, 'busy', 'somebody else is loading a policy right now');
    }
    if (code !== 'EINVAL' && code !== 'ENOSPC') return undefined;
    const { active, lastPolicyFailure } = readStatus(client, namespace);
    return new UserError(
      EXIT.badPolicy,
      'policy-invalid',
      `policy refused ${at} (${code}): ${lastPolicyFailure?.message ?? 'no reason given'}`,
      active ? [] : [`imafs ns add ${client.mount.mountpoint} ${namespace}`],
    );
  });
}

/** `imafs policy show`: the policy in force, as the kernel would show it. */
export function policyShow({ operands, options, output }: Invocation): ExitCode {
  const client = connect(operands[0] ?? '', options.text('control'));
  const namespace = options.text('ns') ?? client.ownNamespace();
  const text = client.read(`${namespace}/policy`);
  const parsed = parsePolicy(text, 'policy', policyMachine());
  const { rules } = parsed.ok ? new Policy(parsed.value) : Policy.empty;
  output.result(
    'policy',
    { namespace: Number(namespace), rules: rules.map((rule) => showRule(rule).trimEnd()) },
    text.trimEnd(),
  );
  return EXIT.ok;
}

function countOf(rules: number): string {
  return rules === 1 ? '1 rule' : `${rules} rules`;
}
