/** What is written down about a refusal: for whose policy it was, for the caller's namespace, and the log. */
import { readFile } from 'node:fs/promises';
import type { Log } from '../base/log.js';
import type { Caller } from '../binding/addon-types.js';
import type { Rule } from '../ima/policy/rule.js';
import { showRule } from '../ima/policy/show-rule.js';
import type { Digest } from '../ima/ports.js';
import { remedyOf, remedyText } from '../ima/remedy.js';
import type { Denial, Namespace } from '../namespaces/namespace.js';
import type { Paths } from '../namespaces/paths.js';

export interface Refused {
  readonly operation: Denial['operation'];
  /** Whose policy refused. */
  readonly judge: Namespace;
  /** The caller's. */
  readonly scope: Namespace;
  readonly caller: Caller;
  /** Below the root of the mount. */
  readonly path: string;
  readonly hook: string;
  readonly cause: string;
  readonly errno: string;
  readonly rule?: Rule | undefined;
  readonly found?: Digest | undefined;
  readonly wanted?: Digest | undefined;
}

export class Denials {
  constructor(
    private readonly paths: Paths,
    private readonly log: Log,
  ) {}

  /** To be called while the request is unanswered; never rejects. */
  async record(refused: Refused): Promise<void> {
    const { judge, scope, caller } = refused;
    judge.counters.denied += 1;
    const [comm, seenPath] = await Promise.all([
      readComm(caller.tid),
      scope.isSystem ? undefined : this.paths.ofCaller(caller.tid, refused.path),
    ]);
    const systemPath = this.paths.ofSystem(refused.path);
    const forJudge = denialOf(
      refused,
      comm,
      judge.isSystem ? systemPath : (seenPath ?? systemPath),
    );
    this.#add(judge, forJudge);
    // The caller's own root learns which rule it was, but not the text of another's policy.
    if (scope !== judge) {
      this.#add(scope, withoutRuleText(denialOf(refused, comm, seenPath ?? systemPath)));
    }
    this.log.warn({ denial: { ...forJudge, path: systemPath } }, 'denied');
  }

  #add(namespace: Namespace, denial: Denial): void {
    namespace.denials.add(denial);
    namespace.record('denied', { path: denial.path, cause: denial.cause });
  }
}

const denialOf = (refused: Refused, comm: string, path: string): Denial => {
  const { judge, scope, cause, rule } = refused;
  const remedy = remedyOf({ cause, path, rule });
  return {
    time: new Date().toISOString(),
    judge: judge.name,
    policyOf: judge.isSystem ? 'system' : judge === scope ? 'own' : 'lineage',
    namespace: scope.name,
    operation: refused.operation,
    hook: refused.hook,
    path,
    pid: refused.caller.pid,
    comm,
    rule: rule && { at: `${rule.source}:${rule.line}`, text: showRule(rule).trimEnd() },
    cause,
    digestFound: refused.found && digestText(refused.found),
    digestWanted: refused.wanted && digestText(refused.wanted),
    errno: refused.errno,
    hint: remedy && remedyText(remedy),
    command: remedy?.command,
  };
};

const withoutRuleText = (denial: Denial): Denial => ({
  ...denial,
  rule: denial.rule && { at: denial.rule.at, text: '' },
});

const digestText = ({ algorithm, bytes }: Digest): string =>
  `${algorithm}:${Buffer.from(bytes).toString('hex')}`;

const readComm = async (tid: number): Promise<string> =>
  (await readFile(`/proc/${tid}/comm`, 'utf8').catch(() => '?')).trimEnd();
