import { builtinPolicy, isBuiltinPolicy } from '../ima/policy/builtin.js';
import { EXIT } from './exit-codes.js';
import { demandPolicyFile } from './policy-text.js';
import { UserError } from './user-error.js';

/** What `imafs run -o` asks for. */
export interface RunOptions {
  /** Of the namespace; undefined: no rules. `source` names it in messages. */
  readonly policy: { readonly source: string; readonly text: string } | undefined;
  /** What is written to the namespace's `tpm`; 'none': software PCRs. */
  readonly tpm: string;
  /** Mount options for the daemon, with those of `run` itself first. */
  readonly mountOptions: readonly string[];
}

const DEFAULT_TPM = 'swtpm';

/** Mount options of the daemon that `run` starts; a later word overrides an earlier one. */
const RUN_MOUNT = 'system_ns=self';

/** policy= and tpm= are the namespace's; all else is for the mount. The policy is checked here. */
export function runOptions(lists: readonly string[]): RunOptions {
  const words = lists.flatMap((list) => list.split(','));
  const lastOf = (name: string): string | undefined =>
    words.findLast((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
  const forMount = words.filter((word) => !/^(policy|tpm)=/.test(word) && word !== '');
  const policy = lastOf('policy');
  return {
    policy: policy === undefined ? undefined : policyText(policy),
    tpm: lastOf('tpm') ?? DEFAULT_TPM,
    mountOptions: [RUN_MOUNT, 'tpm=none', ...forMount],
  };
}

function policyText(value: string): { source: string; text: string } {
  if (!isBuiltinPolicy(value)) {
    return { source: value, text: demandPolicyFile(value).text };
  }
  const rules = builtinPolicy(value);
  if (!rules.ok) throw new UserError(EXIT.badPolicy, 'policy-invalid', rules.problem);
  if (rules.value.failsSecurely) {
    const message = 'fail_securely is about a mount, not about the namespace of a command';
    throw new UserError(EXIT.usage, 'bad-option', message);
  }
  return { source: value, text: rules.value.text() };
}
