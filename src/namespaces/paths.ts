/**
 * The path of a file as its caller sees it: where the caller's own mountinfo places our mount. Read
 * only when a verdict is worked out, while the request is unanswered and so the caller still there.
 */
import { readFile } from 'node:fs/promises';
import { isBelow, type MountLine, parseMountinfo } from '../base/mountinfo.js';

/**
 * `path` (below the root of our file system) as mounts of it show it; undefined if none does. A mount
 * of the whole is preferred to one of a part, and a later one to an earlier.
 */
export const placePath = (mounts: readonly MountLine[], path: string): string | undefined => {
  const best = mounts
    .filter(({ root }) => isBelow(path, root))
    .reduce<MountLine | undefined>(
      (chosen, mount) =>
        chosen === undefined || mount.root.length <= chosen.root.length ? mount : chosen,
      undefined,
    );
  if (best === undefined) return undefined;
  return joinPath(best.mountpoint, best.root === '/' ? path : path.slice(best.root.length));
};

const joinPath = (mountpoint: string, rest: string): string =>
  rest === '/' || rest === '' ? mountpoint : `${mountpoint === '/' ? '' : mountpoint}${rest}`;

export class Paths {
  constructor(
    /** Where the system sees the mount. */
    private readonly mountpoint: string,
    /** Device of our own file system, major:minor. */
    private readonly device: string,
  ) {}

  /** As the system sees it. */
  ofSystem(path: string): string {
    return joinPath(this.mountpoint, path);
  }

  /** As the thread `tid` sees it; as the system does where the thread sees no mount of ours. */
  async ofCaller(tid: number, path: string): Promise<string> {
    const mountinfo = await readFile(`/proc/${tid}/mountinfo`, 'latin1').catch(() => '');
    const ours = parseMountinfo(mountinfo).filter(({ device }) => device === this.device);
    return placePath(ours, path) ?? this.ofSystem(path);
  }
}
