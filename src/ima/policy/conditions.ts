import {
  fsmagic,
  fsname,
  fsSubtype,
  fsuuid,
  func,
  idCondition,
  mask,
} from './access-conditions.js';
import type { Condition } from './condition.js';
import { lsmConditions } from './lsm-conditions.js';
import {
  appraiseAlgos,
  appraiseFlag,
  appraiseType,
  digestType,
  keyrings,
  label,
  pcr,
  permitDirectio,
  template,
} from './rule-options.js';

/** Whatever may follow an action, in the order of ima_policy_show. */
export const conditions: readonly Condition[] = [
  func,
  mask,
  fsmagic,
  fsname,
  fsSubtype,
  keyrings,
  label,
  pcr,
  fsuuid,
  idCondition('uid', 'euid'),
  idCondition('euid', 'uid'),
  idCondition('gid', 'egid'),
  idCondition('egid', 'gid'),
  idCondition('fowner'),
  idCondition('fgroup'),
  appraiseAlgos,
  ...lsmConditions,
  template,
  appraiseType,
  appraiseFlag,
  digestType,
  permitDirectio,
];
