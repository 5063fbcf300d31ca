/**
 * `policy`. Reading gives the canonical text, as it is at open. Writing stages rules: the first line
 * of each write; what was written is put in force, as one whole, at each close(2) that follows.
 */
import { type OpenFile, snapshot } from './virtual-file.js';

export const readPolicy: OpenFile = ({ namespace }) => snapshot(namespace.ima.policy.text());

export const writePolicy: OpenFile = ({ namespace, parts }) => {
  // Until it is active a namespace has no policy to load into: write 1 to `active` first.
  if (!namespace.isActive) return 'EINVAL';
  const load = parts.policyLoader.open(namespace);
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
