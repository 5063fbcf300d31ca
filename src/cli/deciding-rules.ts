import type { Stats } from 'node:fs';
import { basename } from 'node:path';

import { parsePolicy } from '../ima/policy/parse-policy.js';
import { Policy } from '../ima/policy/policy.js';
import type { ControlClient } from './control-client.js';
import { EXIT } from './exit-codes.js';
import { backingFacts } from './file-system-facts.js';
import { type MatchingRule, matchingRules } from './matching-rules.js';
import type { MountStatus, NamespaceStatus, Status } from './mount-status.js';
import { policyMachine } from './policy-machine.js';
import { UserError } from './user-error.js';

/** A rule that decides, and whose it is. */
export interface DecidingRule extends MatchingRule {
  readonly namespace: number;
  readonly policyOf: 'own' | 'system';
}

/** What is asked about. */
export interface ExplainedFile {
  readonly path: string;
  readonly stat: Stats;
  /** Its first page. */
  readonly head: Uint8Array;
}

/**
 * The rules that decide about callers of a namespace, policy by policy: the system's and its own. Only
 * the system's root is told all that conditions look at; who else asks gets none.
 */
export function decidingRules(
  client: ControlClient,
  report: Status,
  namespace: number,
  { path, stat, head }: ExplainedFile,
): DecidingRule[] {
  const { mount } = report;
  if (mount === undefined) return [];
  const object = { uid: stat.uid, gid: stat.gid, ...backingFacts(mount) };
  const isExecutable = (stat.mode & 0o111) !== 0;
  return judges(mount, report, namespace).flatMap((judge) => {
    const text = client.read(`${judge.namespace}/policy`);
    const parsed = parsePolicy(text, 'policy', policyMachine());
    if (!parsed.ok) return [];
    const file = { name: basename(path), head, isExecutable };
    const policyOf = judge.system ? 'system' : 'own';
    return matchingRules(new Policy(parsed.value), object, file).map((matching) => {
      return { ...matching, namespace: judge.namespace, policyOf } as const;
    });
  });
}

/** DESIGN section 4, ns_policy; which ones a namespace descends from, its refusals tell. */
function judges(
  mount: MountStatus,
  system: NamespaceStatus,
  namespace: number,
): readonly NamespaceStatus[] {
  if (namespace === system.namespace) return [system];
  const own = mount.namespaces.find((known) => known.namespace === namespace);
  if (own === undefined) {
    throw new UserError(EXIT.runtime, 'no-namespace', `namespace ${namespace} is not activated`, [
      "the system's policy judges it alone",
    ]);
  }
  if (own.policy.rules === 0) return [system];
  return mount.nsPolicy === 'replace' ? [own] : [system, own];
}
