import type { HookCall } from '../../hooks-of-open.js';
import { matchRule } from '../match-policy.js';
import type { Rule } from '../rule.js';

const NOBODY = {
  uid: 0,
  euid: 0,
  suid: 0,
  gid: 0,
  egid: 0,
  sgid: 0,
  capSetuid: false,
  capSetgid: false,
};
const NOTHING = { uid: 0, gid: 0, fsMagic: 0, fsName: '', fsUuid: undefined };

/** Whether func= and mask= of a rule hold for a hook with a mask, whatever its other conditions say. */
export function matchesCall({ action, func, mask, source, line }: Rule, call: HookCall): boolean {
  const rule = { action, ...(func && { func }), ...(mask && { mask }), source, line };
  return matchRule(rule, { ...call, subject: NOBODY, object: NOTHING });
}
