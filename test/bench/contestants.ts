/** The file systems that are compared, all on one backing directory. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { mountImafs } from './mounts.js';

export interface Contestant {
  readonly name: string;
  /** Where the backing directory's files are seen through it. */
  readonly root: string;
}

export function mountAll(work: string, backing: string, policy: readonly string[]): Contestant[] {
  const at = (name: string): string => {
    const path = join(work, name);
    mkdirSync(path);
    return path;
  };
  const imafs = mountImafs({ work, name: 'imafs', backing, policy });
  const bindfs = at('bindfs');
  execFileSync('bindfs', [backing, bindfs], { stdio: 'ignore' });
  const overlay = at('fuse-overlayfs');
  const layers = `lowerdir=${backing},upperdir=${at('upper')},workdir=${at('overlay-work')}`;
  execFileSync('fuse-overlayfs', ['-o', layers, overlay], { stdio: 'ignore' });
  return [
    { name: 'ext4', root: backing },
    { name: 'imafs', root: imafs },
    { name: 'bindfs', root: bindfs },
    { name: 'fuse-overlayfs', root: overlay },
  ];
}
