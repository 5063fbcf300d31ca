/**
 * `policy`. Reading gives the canonical text, as it is at open. Writing stages rules: the first line
 * of each write; what was written is put in force, as one whole, at each close(2) that follows.
 */
import { showRule } from '../ima/policy/show-rule.js';
import { linesOf, type OpenFile, snapshotOfLines } from './virtual-file.js';

export const readPolicy: OpenFile = ({ namespace }) =>
  snapshotOfLines(linesOf(namespace.ima.policy.rules, showRule));

export const writePolicy: OpenFile = ({ namespace, atTop, parts }) => {
  // Until it is active a namespace has no policy to load into: write 1 to `active` first.
  if (!namespace.isActive) return 'EINVAL';
  // The kernel takes one write at a time on an inode, and the one at the top is every namespace's:
  // who waits there for a file of their own would let all others wait.
  const takesPaths = !atTop || namespace.isSystem;
  const load = parts.policyLoader.open(namespace, takesPaths);
  if (typeof load === 'string') return load;
  return {
    write: async (data, caller) => {
      const answer = await load.write(data, caller);
      return 'taken' in answer ? answer.taken : answer.errno;
    },
    flush: async (caller) => (await load.commit(caller))?.errno,
    release: () => parts.policyLoader.close(load),
  };
};
