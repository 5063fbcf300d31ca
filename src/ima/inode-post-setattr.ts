import { IMA_HASHED, IMA_UPDATE_XATTR } from './iint.js';
import type { Ima } from './ima.js';
import { matchPolicy } from './policy/match-policy.js';
import type { ActionFamily } from './policy/rule.js';
import type { ObjectFacts, Subject } from './ports.js';

/** As ima_must_appraise looks for. */
const LABELLING: ReadonlySet<ActionFamily> = new Set(['appraise', 'hash']);

/**
 * ima_inode_post_setattr (ima_appraise.c): a file that no rule appraises or hashes any more, whoever owns it now, is
 * not labelled when its writers have gone. `object` is the file as it has become, without its label.
 */
export function inodePostSetattr(
  { policy, iints }: Ima,
  node: number,
  subjects: readonly Subject[],
  object: ObjectFacts,
): void {
  const iint = iints.find(node);
  if (
    !iint?.has(IMA_UPDATE_XATTR | IMA_HASHED) ||
    !policy.has('appraise') ||
    policy.readsObjectLabel
  ) {
    return;
  }
  const isAppraised = subjects.some((subject) => {
    const query = { hook: 'POST_SETATTR', mask: 0, subject, object } as const;
    const { appraise, hash } = matchPolicy(policy, query, LABELLING);
    return appraise !== undefined || hash;
  });
  if (!isAppraised) {
    iint.dropWriter();
  }
}
