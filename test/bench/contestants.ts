/** The file systems that `make bench` compares, all on one backing directory. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { IMAFS } from '../helpers/project.js';

export interface Contestant {
  readonly name: string;
  /** Where the backing directory's files are seen through it. */
  readonly root: string;
}

/** Mounts everything below `work`; whatever `unmountAll` is called on afterwards goes away again. */
export function mountAll(work: string, backing: string, policy: string): Contestant[] {
  const at = (name: string): string => {
    const path = join(work, name);
    mkdirSync(path);
    return path;
  };
  const imafs = at('imafs');
  mountImafs(work, backing, imafs, policy);
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

/** imafs as a user mounts it, but with no more than 1024 descriptors. */
function mountImafs(work: string, backing: string, mountpoint: string, policy: string): void {
  const options = `system_ns=self,policy=${policy},state=${join(work, 'state')}`;
  execFileSync(
    'prlimit',
    ['--nofile=1024:1024', ...IMAFS, 'mount', '-o', options, backing, mountpoint],
    { stdio: 'inherit' },
  );
}

/** Resident memory in KiB of the daemon behind an imafs mount. */
export function daemonMemory(mountpoint: string): number {
  const status = JSON.parse(readFileSync(join(mountpoint, '.ima/self/status'), 'utf8')) as {
    mount: { pid: number };
  };
  const text = readFileSync(`/proc/${status.mount.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s*(\d+)/m.exec(text)?.[1]);
}

/** Takes away every mount below `work`, lazily if need be, and says whether any is left. */
export function unmountAll(work: string): boolean {
  for (const mountpoint of mountpointsBelow(work).reverse()) {
    try {
      execFileSync('umount', [mountpoint], { stdio: 'ignore' });
    } catch {
      execFileSync('umount', ['-l', mountpoint]);
    }
  }
  return mountpointsBelow(work).length === 0;
}

function mountpointsBelow(work: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((mountpoint) => mountpoint.startsWith(`${work}/`));
}
