import type { Access } from './access.js';
import { IMA_NEW_FILE } from './iint.js';
import type { Ima } from './ima.js';
import { matchPolicy } from './policy/match-policy.js';
import type { ImaFile, Subject } from './ports.js';

/** Neither reading nor writing: what ima_post_path_mknod asks about (fs.h). */
const MAY_ACCESS = 0x10;

/**
 * IMA_NEW_FILE: whether the file is in the making, and this policy appraised that (the open that created
 * it, or mknod). A file that others make is one without a label.
 */
export function isNewFile(ima: Ima, access: Access): boolean {
  const { file } = access;
  if (!file.isNew) {
    return false;
  }
  return (
    file.isCreated ||
    ima.iints.find(file.node)?.has(IMA_NEW_FILE) === true ||
    (file.isUnopened && appraisesMaking(ima, access))
  );
}

/**
 * ima_post_create_tmpfile: all that is asked about an open with O_TMPFILE, which runs no hook of opening. What
 * becomes of the file is labelled at its last close. Whether it will be.
 */
export function postCreateTmpfile(
  ima: Ima,
  subjects: readonly Subject[],
  file: Pick<ImaFile, 'node' | 'version' | 'object'>,
): boolean {
  const isAppraised = subjects.some((subject) => appraisesMaking(ima, { subject, file }));
  if (isAppraised) {
    ima.iints.obtain(file.node).addWriter(file.version, true);
  }
  return isAppraised;
}

/** ima_post_path_mknod, ima_post_create_tmpfile; ima_must_appraise takes a hash rule for an answer too. */
function appraisesMaking(
  { policy }: Ima,
  {
    subject,
    file: { object },
  }: { readonly subject: Subject; readonly file: Pick<ImaFile, 'object'> },
): boolean {
  const query = { hook: 'FILE_CHECK', mask: MAY_ACCESS, subject, object } as const;
  const { appraise, hash } = matchPolicy(policy, query, new Set(['appraise', 'hash']));
  return appraise !== undefined || hash;
}
