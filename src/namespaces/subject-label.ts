import { readFileSync } from 'node:fs';
import type { Caller } from '../binding/addon-types.js';
import type { Policy } from '../ima/policy/policy.js';
import type { Subject } from '../ima/ports.js';

/**
 * The label that the security module gives to a task, as subj_* conditions mean it; undefined where there
 * is none to be read, which no such condition matches. AppArmor writes its mode behind the profile.
 */
const subjectLabel = (tid: number): string | undefined => {
  try {
    const label = readFileSync(`/proc/${tid}/attr/current`, 'utf8');
    return label
      .replace(/\0|\n/g, '')
      .replace(/ \((enforce|complain|kill|prompt|unconfined)\)$/, '');
  } catch {
    return undefined;
  }
};

/** The subjects with the caller's label, where a rule asks for it. */
export const labelledSubjects = (
  subjects: readonly Subject[],
  { readsSubjectLabel }: Policy,
  { tid }: Caller,
): readonly Subject[] => {
  if (!readsSubjectLabel) return subjects;
  const label = subjectLabel(tid);
  return subjects.map((subject) => ({ ...subject, label }));
};
