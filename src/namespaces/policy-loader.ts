/**
 * Loading of policies (DESIGN section 6, Writing): one open of `policy` gathers rules line by line, and
 * each close(2) after a write puts all of them in force as one whole. After a line that is no rule none
 * of that open stays in force (ima_release_policy). The first custom policy replaces the built-in one,
 * later ones are appended (ima_update_policy).
 */
import { type ErrnoName, errnoOf } from '../base/errno.js';
import type { Caller, FileOfCaller } from '../binding/addon-types.js';
import { changeIma } from '../ima/ima.js';
import type { PolicyMachine } from '../ima/policy/condition.js';
import { type LoggedWord, loggedWords } from '../ima/policy/logged-words.js';
import { type PolicyProblem, parsePolicy, parsePolicyLine } from '../ima/policy/parse-policy.js';
import { Policy } from '../ima/policy/policy.js';
import type { Rule } from '../ima/policy/rule.js';
import { firstLine } from './first-line.js';
import type { AuditStatus } from './lifecycle.js';
import { LIMITS, type Namespace } from './namespace.js';
import type { PolicyCheck } from './policy-check.js';

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
  readonly words: readonly LoggedWord[];
  readonly result: 0 | 1;
}) => Promise<void>;

export interface PolicyLoaderParts {
  /** What policies may ask for here. */
  readonly machine: PolicyMachine;
  /** Reads a file as the caller would open it; rejects with an Error with `code`. */
  readonly readAsCaller: (
    caller: Caller,
    path: string,
    limitBytes: number,
  ) => Promise<FileOfCaller>;
  readonly checkFile: PolicyCheck;
  /** Its policy changed: verdicts that it has a say in are void. */
  readonly changed: (namespace: Namespace) => void;
  /** The first policy that somebody loaded into the namespace is in force. */
  readonly firstLoaded: (namespace: Namespace, caller: Caller) => Promise<void>;
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

  /**
   * EBUSY while another open of the same namespace's policy is writing; EINVAL for a dead one.
   * Without `takesPaths` a path is no more than a line that is no rule.
   */
  open(namespace: Namespace, takesPaths = true): PolicyLoad | ErrnoName {
    if (namespace.isDead) return 'EINVAL';
    if (this.#busy.has(namespace.id)) return 'EBUSY';
    this.#busy.add(namespace.id);
    const before = namespace.ima.policy;
    const isCustom = this.#custom.has(namespace);
    // ima_write_policy: with IMA_APPRAISE_POLICY only a file will do, which is appraised itself.
    const wantsSigned = demandsSignedPolicy(before);
    const existing = isCustom ? before.rules.length : 0;
    const facts = { existing, isFirst: !isCustom, wantsSigned, takesPaths };
    return new PolicyLoad(namespace, facts, this.parts, {
      failed: (problem) => this.#failures.set(namespace, { ...problem, time: now() }),
      commit: (rules) => {
        this.#custom.add(namespace);
        this.#change(namespace, isCustom ? before.append(rules) : before.replace(rules));
      },
      drop: () => {
        if (!isCustom) this.#custom.delete(namespace);
        this.#change(namespace, before);
      },
    });
  }

  /** At RELEASE: what was not committed is dropped, the next loader may come. */
  close(load: PolicyLoad): void {
    this.#busy.delete(load.namespace.id);
  }

  lastFailure(namespace: Namespace): (LoadProblem & { readonly time: string }) | undefined {
    return this.#failures.get(namespace);
  }

  #change(namespace: Namespace, policy: Policy): void {
    const added = policy.rules.length - namespace.ima.policy.rules.length;
    changeIma(namespace.ima, { policy });
    namespace.record('policy', { rules: policy.rules.length, added });
    this.parts.changed(namespace);
  }
}

const now = (): string => new Date().toISOString();

interface LoadHooks {
  readonly failed: (problem: LoadProblem) => void;
  /** Puts all rules of the open so far in force. */
  readonly commit: (rules: readonly Rule[]) => void;
  /** Takes what was committed back. */
  readonly drop: () => void;
}

/** One open of `policy` for writing. Its functions are called one after the other. */
export class PolicyLoad {
  /** All rules of this open so far. */
  #rules: readonly Rule[] = [];
  #committed = 0;
  #line = 0;
  /** 'bad': a line was refused, and no record says yet that the update failed. */
  #state: 'good' | 'bad' | 'reported' = 'good';

  constructor(
    readonly namespace: Namespace,
    /** When it was opened: the number of rules that new ones come after, and what is demanded. */
    private readonly before: {
      readonly existing: number;
      readonly isFirst: boolean;
      readonly wantsSigned: boolean;
      readonly takesPaths: boolean;
    },
    private readonly parts: PolicyLoaderParts,
    private readonly hooks: LoadHooks,
  ) {}

  /**
   * One write(2): its first line is taken; an absolute path names a file to be read as the writer
   * would. Resolves with the bytes taken or the problem; after a problem further rules are taken and
   * dropped, as by the kernel.
   */
  async write(data: Uint8Array, caller: Caller): Promise<{ readonly taken: number } | LoadProblem> {
    const { text, taken } = firstLine(data);
    this.#line += 1;
    const read = await this.#read(text, caller);
    if (!Array.isArray(read)) return this.#fail(read);
    if (this.#state === 'good') this.#rules = [...this.#rules, ...read];
    return { taken };
  }

  /** At each FLUSH: commits what was written until then. Nothing new: success. */
  async commit(caller: Caller): Promise<LoadProblem | undefined> {
    if (this.#state === 'bad') {
      this.#state = 'reported';
      await this.#audit(caller, 'policy_update', 'failed', 0);
    }
    if (this.#rules.length === this.#committed) return undefined;
    if (this.namespace.isDead) return this.#fail(this.#problem('EINVAL', ended));
    this.#committed = this.#rules.length;
    this.hooks.commit(this.#rules);
    if (this.before.isFirst) await this.parts.firstLoaded(this.namespace, caller);
    await this.#audit(caller, 'policy_update', 'completed', 1);
    return undefined;
  }

  /** The rules of one line, or of the file it names. */
  async #read(text: string, caller: Caller): Promise<Rule[] | LoadProblem> {
    if (this.namespace.isDead) return this.#problem('EINVAL', ended);
    const isPath = text.startsWith('/');
    if (this.before.wantsSigned && !isPath) {
      await this.#audit(caller, 'policy_update', 'signed policy required', 0);
      return this.#problem('EACCES', 'signed policy required: write the path of a signed file');
    }
    const rules = isPath
      ? await this.#readFile(text.trimEnd(), caller)
      : await this.#readRule(text, caller);
    return Array.isArray(rules) && this.#exceedsLimit(rules.length)
      ? this.#problem('ENOSPC', `a policy may have ${LIMITS.rules} rules`)
      : rules;
  }

  async #readRule(text: string, caller: Caller): Promise<Rule[] | LoadProblem> {
    const parsed = parsePolicyLine(text, this.#line, INLINE, this.parts.machine);
    await this.#auditRule(text, parsed.ok ? undefined : parsed.problem);
    if (parsed.ok) return parsed.value === undefined ? [] : [parsed.value];
    await this.#audit(caller, 'update_policy', 'invalid-policy', 0);
    const { line, column, message, hint, errno } = parsed.problem;
    const full = `${message}: ${hint}`;
    return { errno: errno ?? 'EINVAL', source: INLINE, line, column, message: full };
  }

  async #readFile(path: string, caller: Caller): Promise<Rule[] | LoadProblem> {
    if (!this.before.takesPaths) {
      const where = `${this.namespace.name}/policy`;
      return this.#problem('EINVAL', `a file can be named by its path in ${where} only`);
    }
    let file: FileOfCaller;
    try {
      file = await this.parts.readAsCaller(caller, path, LIMITS.policyFileBytes);
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === undefined) throw error;
      return this.#problem(errno, `${path} cannot be read`);
    }
    const refused = await this.parts.checkFile(this.namespace, caller, path, file);
    if (refused !== undefined) return this.#problem('EACCES', `${path} is refused: ${refused}`);
    const text = String(file.content);
    if (this.#exceedsLimit(linesOf(text))) {
      return this.#problem('ENOSPC', `a policy may have ${LIMITS.rules} rules`);
    }
    const parsed = parsePolicy(text, path, this.parts.machine);
    const [bad] = parsed.ok ? [] : parsed.problem;
    // Of what is no rule nothing is shown: the writer may name files to learn what is in them.
    const good = text.split('\n').slice(0, bad === undefined ? undefined : bad.line - 1);
    for (const line of good) await this.#auditRule(line, undefined);
    if (parsed.ok) return parsed.value;
    await this.#audit(caller, 'update_policy', 'invalid-policy', 0);
    const at = { line: bad?.line ?? 0, column: bad?.column ?? 0 };
    return { errno: 'EINVAL', source: path, ...at, message: 'not a rule' };
  }

  #exceedsLimit(added: number): boolean {
    const count = this.before.existing + this.#rules.length + added;
    return !this.namespace.isSystem && count > LIMITS.rules;
  }

  #problem(errno: ErrnoName, message: string): LoadProblem {
    return { errno, source: INLINE, line: this.#line, column: 1, message };
  }

  #fail(problem: LoadProblem): LoadProblem {
    if (this.#state === 'good') {
      this.#state = 'bad';
      this.hooks.failed(problem);
      if (this.#committed > 0) this.hooks.drop();
      this.#rules = [];
      this.#committed = 0;
    }
    return problem;
  }

  /** The kernel tells no errno here, whatever the result. */
  #audit(caller: Caller, op: string, cause: string, result: 0 | 1): Promise<void> {
    const { name } = this.namespace;
    return this.parts.auditStatus({ namespace: name, caller, op, cause, result, errno: 0 });
  }

  #auditRule(text: string, problem: PolicyProblem | undefined): Promise<void> {
    const words = loggedWords(text, problem);
    if (words.length === 0) return Promise.resolve();
    const result = problem === undefined ? 1 : 0;
    return this.parts.auditRule({ namespace: this.namespace.name, words, result });
  }
}

const ended = 'the namespace has ended';

/** IMA_APPRAISE_POLICY */
const demandsSignedPolicy = ({ rules }: Policy): boolean =>
  rules.some(({ action, func }) => action === 'appraise' && func === 'POLICY_CHECK');

/** Lines that are rules, if they are anything: what a policy of too many would cost is not spent. */
const linesOf = (text: string): number =>
  text.split('\n', LIMITS.policyFileBytes).filter((line) => /^[ \t]*[^ \t#]/.test(line)).length;
