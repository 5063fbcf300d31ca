import { readFileSync } from 'node:fs';

import { hooksOfOpen } from '../ima/hooks-of-open.js';
import { matchPolicy, type PolicyQuery } from '../ima/policy/match-policy.js';
import type { Policy } from '../ima/policy/policy.js';
import type { ActionFamily, Rule } from '../ima/policy/rule.js';
import type { Hook, ObjectFacts, Subject } from '../ima/ports.js';
import { missingCapabilities } from './capabilities.js';

const FAMILIES: ReadonlySet<ActionFamily> = new Set(['measure', 'appraise', 'audit', 'hash']);

/** What a policy does about one hook of an access. */
export interface MatchingRule {
  readonly access: 'read' | 'execute';
  readonly hook: Hook;
  readonly rule: Rule;
}

/** The rules that decide when this process reads or executes a file: the first of each family. */
export function matchingRules(
  policy: Policy,
  object: ObjectFacts,
  file: { readonly name: string; readonly head: Uint8Array; readonly isExecutable: boolean },
): MatchingRule[] {
  const subject = ownSubject();
  const accesses = file.isExecutable ? (['read', 'execute'] as const) : (['read'] as const);
  return accesses.flatMap((access) =>
    hooksOfOpen({
      flags: 0,
      exec: access === 'execute',
      succeeding: false,
      head: file.head,
      name: file.name,
      isFirmware: false,
      mmapCheck: 'elf',
    }).flatMap(({ hook, mask }) => {
      const query: PolicyQuery = { hook, mask, subject, object };
      const { rules } = matchPolicy(policy, query, FAMILIES);
      return Object.values(rules).map((rule) => ({ access, hook, rule }));
    }),
  );
}

/** The ids and capabilities of this process. */
export function ownSubject(status = readFileSync('/proc/self/status', 'utf8')): Subject {
  const ids = (name: string): number[] =>
    (new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? '').split(/\s+/).map(Number);
  const [uid = 0, euid = 0, suid = 0] = ids('Uid');
  const [gid = 0, egid = 0, sgid = 0] = ids('Gid');
  const missing = missingCapabilities(['CAP_SETUID', 'CAP_SETGID'], status);
  return {
    uid,
    euid,
    suid,
    gid,
    egid,
    sgid,
    capSetuid: !missing.includes('CAP_SETUID'),
    capSetgid: !missing.includes('CAP_SETGID'),
  };
}
