import { success } from '../../base/result.js';
import { type Condition, complain, type Lsm, unknownWord } from './condition.js';

/** Conditions on the labels that a security module gives to subjects and objects. */
export type LsmWord =
  | 'obj_user'
  | 'obj_role'
  | 'obj_type'
  | 'subj_user'
  | 'subj_role'
  | 'subj_type';

export const LSM_WORDS: readonly LsmWord[] = [
  'obj_user',
  'obj_role',
  'obj_type',
  'subj_user',
  'subj_role',
  'subj_type',
];

/** What each module's audit_rule_init hook takes. */
const WORDS_OF: Readonly<Record<Lsm, readonly LsmWord[]>> = {
  selinux: LSM_WORDS,
  smack: ['obj_user', 'subj_user'],
  apparmor: ['subj_role'],
};

/** In the order of enum lsm_rule_types, in which they are shown. */
export const lsmConditions: readonly Condition[] = LSM_WORDS.map((name) => ({
  name,
  comparisons: ['='],
  parse: (value, _, __, { lsm }) => {
    if (lsm === undefined) {
      const hint = 'leave the rule out, or use uid=, gid= or fowner=';
      return complain(`there is no security module here that ${name} could ask`, hint);
    }
    return WORDS_OF[lsm].includes(name)
      ? success({ [name]: value })
      : unknownWord(name, value, [...WORDS_OF[lsm]]);
  },
  show: (rule) => (rule[name] === undefined ? undefined : `${name}=${rule[name]}`),
}));

/** The part of `user:role:type:level` (SELinux) each word is about. */
const PARTS: Readonly<Record<string, number>> = { user: 0, role: 1, type: 2 };

/** AppArmor's labels may have colons too, before and behind a namespace, but begin with one then. */
const SELINUX_CONTEXT = /^[^:/]+:[^:/]+:[^:/]+(:|$)/;

/**
 * Whether a label fits: by its part where it is an SELinux context (three colons and more are in its
 * level), as a whole where it is another module's.
 */
export function matchesLabel(word: LsmWord, wanted: string, found: string | undefined): boolean {
  if (found === undefined) {
    return false;
  }
  if (!SELINUX_CONTEXT.test(found)) {
    return found === wanted;
  }
  return found.split(':')[PARTS[word.slice(word.indexOf('_') + 1)] ?? 0] === wanted;
}
