import { readFileSync } from 'node:fs';
import { parseMountinfo } from '../base/mountinfo.js';

/**
 * nsfs inode numbers of the mount namespaces that a bind mount in the daemon's own namespace keeps alive
 * (`unshare --mount=FILE`), though nobody may be in them.
 */
export const boundNames = (): ReadonlySet<number> =>
  new Set(
    parseMountinfo(readFileSync('/proc/self/mountinfo', 'latin1'))
      .filter(({ type }) => type === 'nsfs')
      .flatMap(({ root }) => /^mnt:\[(\d+)\]$/.exec(root)?.slice(1).map(Number) ?? []),
  );
