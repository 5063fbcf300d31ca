import { readFileSync } from 'node:fs';

/**
 * The label that the security module gives to a task, as subj_* conditions mean it; undefined where there
 * is none to be read, which no such condition matches. AppArmor writes its mode behind the profile.
 */
export const subjectLabel = (tid: number): string | undefined => {
  try {
    const label = readFileSync(`/proc/${tid}/attr/current`, 'utf8');
    return label
      .replace(/\0|\n/g, '')
      .replace(/ \((enforce|complain|kill|prompt|unconfined)\)$/, '');
  } catch {
    return undefined;
  }
};
