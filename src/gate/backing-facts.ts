/** What /proc/self/mountinfo says of the backing file system and of our own mount. */
import { readFileSync } from 'node:fs';
import { mountOfPath, parseMountinfo } from '../base/mountinfo.js';

export interface BackingFacts {
  /** Name of the file system's type, as fsname= conditions want it. */
  readonly fsName: string;
  /** What fs_subtype= conditions want: what stands behind the dot of fuse.sshfs. */
  readonly fsSubtype: string | undefined;
  /** Id for writing on behalf of callers: neither root's nor one that reserved blocks are kept for. */
  readonly anonymousId: number;
}

const ANONYMOUS_IDS = [4_294_967_293, 4_294_967_292, 4_294_967_291] as const;

/** To be read before mounting, which may cover the backing directory. */
export const backingFacts = (backing: string): BackingFacts => {
  const mount = mountOfPath(ownMounts(), backing);
  // resuid= and resgid= of ext4 may write to its last blocks; callers must not through us.
  const reserved = (mount?.superOptions ?? []).map(
    (option) => /^res[ug]id=(\d+)$/.exec(option)?.[1],
  );
  const [first] = ANONYMOUS_IDS;
  const anonymousId = ANONYMOUS_IDS.find((id) => !reserved.includes(String(id))) ?? first;
  // Only FUSE has a subtype, and mountinfo shows both in one word (show_type).
  const [fsName = 'unknown', fsSubtype] = mount?.type.split('.', 2) ?? [];
  return { fsName, fsSubtype, anonymousId };
};

/** Device of the file system mounted at `mountpoint` last, major:minor; undefined if there is none. */
export const deviceOfMount = (mountpoint: string): string | undefined =>
  ownMounts().findLast((mount) => mount.mountpoint === mountpoint)?.device;

const ownMounts = () => parseMountinfo(readFileSync('/proc/self/mountinfo', 'latin1'));
