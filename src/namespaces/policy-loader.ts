/**
 * Loading of policies (DESIGN section 6, Writing): one open of `policy` stages rules line by line, and
 * each close(2) after a write puts what was staged in force as one whole. The first custom policy
 * replaces the built-in one, later ones are appended (ima_update_policy).
 */
import { type ErrnoName, errnoNumber, errnoOf } from '../base/errno.js';
import type { Caller } from '../binding/addon-types.js';
import { changeIma } from '../ima/ima.js';
import { lexPolicyLine } from '../ima/policy/lex-policy-line.js';
import { type PolicyProblem, parsePolicy, parsePolicyLine } from '../ima/policy/parse-policy.js';
import { Policy } from '../ima/policy/policy.js';
import type { Rule } from '../ima/policy/rule.js';
import { firstLine } from './first-line.js';
import type { AuditStatus } from './lifecycle.js';
import { LIMITS, type Namespace } from './namespace.js';

/** What went wrong, for `status` and the log: line and column, never content of a file named by path. */
export interface LoadProblem {
  readonly errno: ErrnoName;
  readonly source: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** Port: an audit record of type 1807 (AuditLog.policyRule). */
export type AuditRule = (rule: {
  readonly namespace: number;
  readonly tokens: readonly (readonly [key: string, value: string])[];
  readonly result: 0 | 1;
}) => Promise<void>;

export interface PolicyLoaderParts {
  /** Reads a file as the caller would open it; rejects with an Error with `code`. */
  readonly readAsCaller: (tid: number, path: string, limitBytes: number) => Promise<Buffer>;
  /** A policy changed: remembered verdicts are void. */
  readonly changed: () => void;
  readonly auditStatus: AuditStatus;
  readonly auditRule: AuditRule;
}

/** Where rules written into the file come from. */
const INLINE = 'policy';

export class PolicyLoader {
  readonly #busy = new Set<bigint>();
  /** Namespaces whose policy is a custom one already. */
  readonly #custom = new WeakSet<Namespace>();
  readonly #failures = new WeakMap<Namespace, LoadProblem & { readonly time: string }>();

  constructor(private readonly parts: PolicyLoaderParts) {}

  /** The policy a namespace was started with counts as a custom one: later ones are appended. */
  startedCustom(namespace: Namespace): void {
    this.#custom.add(namespace);
  }

  /** EBUSY while another open of the same namespace's policy is writing; EINVAL for a dead one. */
  open(namespace: Namespace): PolicyLoad | ErrnoName {
    if (namespace.isDead) return 'EINVAL';
    if (this.#busy.has(namespace.id)) return 'EBUSY';
    this.#busy.add(namespace.id);
    return new PolicyLoad(namespace, this.parts, {
      failed: (problem) => this.#failures.set(namespace, { ...problem, time: now() }),
      commit: (rules) => this.#commit(namespace, rules),
    });
  }

  /** At RELEASE: what was not committed is dropped, the next loader may come. */
  close(load: PolicyLoad): void {
    this.#busy.delete(load.namespace.id);
  }

  lastFailure(namespace: Namespace): (LoadProblem & { readonly time: string }) | undefined {
    return this.#failures.get(namespace);
  }

  #commit(namespace: Namespace, rules: readonly Rule[]): void {
    const { ima } = namespace;
    const policy = this.#custom.has(namespace) ? ima.policy.append(rules) : new Policy(rules);
    this.#custom.add(namespace);
    changeIma(ima, { policy });
    namespace.record('policy', { rules: policy.rules.length, added: rules.length });
    this.parts.changed();
  }
}

const now = (): string => new Date().toISOString();

interface LoadHooks {
  readonly failed: (problem: LoadProblem) => void;
  readonly commit: (rules: readonly Rule[]) => void;
}

/** One open of `policy` for writing. Its functions are called one after the other. */
export class PolicyLoad {
  #staged: Rule[] = [];
  #committed = 0;
  #line = 0;
  #isBad = false;

  constructor(
    readonly namespace: Namespace,
    private readonly parts: PolicyLoaderParts,
    private readonly hooks: LoadHooks,
  ) {}

  /**
   * One write(2): its first line is taken; an absolute path names a file to be read as the writer
   * would. Resolves with the bytes taken or the problem; after a problem the whole open is dropped.
   */
  async write(data: Uint8Array, caller: Caller): Promise<{ readonly taken: number } | LoadProblem> {
    const { text, taken } = firstLine(data);
    this.#line += 1;
    const read = this.#isBad ? this.#problem('EINVAL', dropped) : await this.#read(text, caller);
    if (!Array.isArray(read)) return this.#fail(read, caller);
    this.#staged.push(...read);
    return { taken };
  }

  /** At each FLUSH: commits what was written since the last one. Nothing new: success. */
  async commit(caller: Caller): Promise<LoadProblem | undefined> {
    if (this.#staged.length === 0) return undefined;
    if (this.namespace.isDead) return this.#fail(this.#problem('EINVAL', ended), caller);
    const rules = this.#staged;
    this.#staged = [];
    this.#committed += rules.length;
    this.hooks.commit(rules);
    await this.#audit(caller, 'policy_update', 'completed', undefined);
    return undefined;
  }

  /** The rules of one line, or of the file it names. */
  async #read(text: string, caller: Caller): Promise<Rule[] | LoadProblem> {
    if (this.namespace.isDead) return this.#problem('EINVAL', ended);
    // ima_write_policy: with IMA_APPRAISE_POLICY only a signed file will do, and those come later.
    if (demandsSignedPolicy(this.namespace.ima.policy)) {
      await this.#audit(caller, 'policy_update', 'signed policy required', 'EACCES');
      return this.#problem('EACCES', 'signed policy required');
    }
    const rules = text.startsWith('/')
      ? await this.#readFile(text.trimEnd(), caller)
      : await this.#readRule(text);
    return Array.isArray(rules) && this.#exceedsLimit(rules.length)
      ? this.#problem('ENOSPC', `a policy may have ${LIMITS.rules} rules`)
      : rules;
  }

  async #readRule(text: string): Promise<Rule[] | LoadProblem> {
    const parsed = parsePolicyLine(text, this.#line, INLINE);
    await this.#auditLine(text, parsed.ok ? undefined : parsed.problem);
    if (parsed.ok) return parsed.value === undefined ? [] : [parsed.value];
    const { line, column, message, hint } = parsed.problem;
    const full = `${message}: ${hint}`;
    return { errno: 'EINVAL', source: INLINE, line, column, message: full };
  }

  async #readFile(path: string, caller: Caller): Promise<Rule[] | LoadProblem> {
    let text: string;
    try {
      text = String(await this.parts.readAsCaller(caller.tid, path, LIMITS.policyFileBytes));
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === undefined) throw error;
      return this.#problem(errno, `${path} cannot be read`);
    }
    const parsed = parsePolicy(text, path);
    if (parsed.ok) return parsed.value;
    const [first] = parsed.problem;
    // Its content is not shown: the writer may name files to learn what is in them.
    const at = { line: first?.line ?? 0, column: first?.column ?? 0 };
    return { errno: 'EINVAL', source: path, ...at, message: 'not a rule' };
  }

  #exceedsLimit(added: number): boolean {
    const { isSystem, ima } = this.namespace;
    const count = Math.max(ima.policy.rules.length, this.#committed) + this.#staged.length + added;
    return !isSystem && count > LIMITS.rules;
  }

  #problem(errno: ErrnoName, message: string): LoadProblem {
    return { errno, source: INLINE, line: this.#line, column: 1, message };
  }

  async #fail(problem: LoadProblem, caller: Caller): Promise<LoadProblem> {
    if (!this.#isBad) {
      this.#isBad = true;
      this.#staged = [];
      this.hooks.failed(problem);
      await this.#audit(caller, 'update_policy', 'invalid-policy', problem.errno);
    }
    return problem;
  }

  #audit(caller: Caller, op: string, cause: string, errno: ErrnoName | undefined): Promise<void> {
    const outcome =
      errno === undefined
        ? ({ result: 1, errno: 0 } as const)
        : ({ result: 0, errno: -errnoNumber(errno) } as const);
    return this.parts.auditStatus({
      namespace: this.namespace.name,
      caller,
      op,
      cause,
      ...outcome,
    });
  }

  /** ima_parse_rule logs each word as it reads it and stops at the first it cannot take. */
  #auditLine(text: string, problem: PolicyProblem | undefined): Promise<void> {
    const tokens = lexPolicyLine(text);
    if (tokens.length === 0) return Promise.resolve();
    const bad = tokens.findIndex(({ column }) => column === problem?.column);
    const logged = tokens
      .slice(0, bad < 0 ? tokens.length : bad)
      .map((token) => logWord(token.text));
    if (problem !== undefined) logged.push(['UNKNOWN', problem.token]);
    const result = problem === undefined ? 1 : 0;
    return this.parts.auditRule({ namespace: this.namespace.name, tokens: logged, result });
  }
}

const dropped = 'an earlier line of this open was refused';
const ended = 'the namespace has ended';

const logWord = (word: string): [string, string] => {
  const [, key = 'action', value = word] = /^([a-z_]+)=(.*)$/s.exec(word) ?? [];
  return [key, value];
};

/** IMA_APPRAISE_POLICY */
const demandsSignedPolicy = ({ rules }: Policy): boolean =>
  rules.some(({ action, func }) => action === 'appraise' && func === 'POLICY_CHECK');
