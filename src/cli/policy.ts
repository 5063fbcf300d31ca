import { parsePolicy } from '../ima/policy/parse-policy.js';
import { Policy } from '../ima/policy/policy.js';
import { showRule } from '../ima/policy/show-rule.js';
import type { Invocation } from './command.js';
import { connect } from './connect.js';
import type { ControlClient } from './control-client.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { readStatus } from './mount-status.js';
import { countOf } from './policy-check.js';
import { policyMachine } from './policy-machine.js';
import { demandValid, readPolicy } from './policy-text.js';
import { UserError } from './user-error.js';

/** `imafs policy load`: a file into a namespace. */
export async function policyLoad({ operands, options, output }: Invocation): Promise<ExitCode> {
  const [mountpoint = '', file = ''] = operands;
  const {
    text,
    policy: { rules },
  } = demandValid(await readPolicy(file));
  const client = await connect(mountpoint, options.text('control'));
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
export async function policyShow({ operands, options, output }: Invocation): Promise<ExitCode> {
  const client = await connect(operands[0] ?? '', options.text('control'));
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
