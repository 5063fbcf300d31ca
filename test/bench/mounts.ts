/** Mounts of imafs as a user makes them, and what is known of the daemons behind them. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { IMAFS } from '../helpers/project.js';

export interface MountRequest {
  /** A directory of the bench, in which the mount `name` is made. */
  readonly work: string;
  readonly name: string;
  readonly backing: string;
  readonly policy: readonly string[];
  readonly tpm?: string;
}

/** The mountpoint; the daemon has no more than 1024 descriptors. */
export function mountImafs({ work, name, backing, policy, tpm = 'none' }: MountRequest): string {
  const mountpoint = join(work, name);
  mkdirSync(mountpoint);
  const rules = join(work, `${name}.policy`);
  writeFileSync(rules, policy.map((rule) => `${rule}\n`).join(''));
  const state = join(work, `${name}.state`);
  const options = `system_ns=self,policy=${rules},state=${state},tpm=${tpm}`;
  execFileSync(
    'prlimit',
    ['--nofile=1024:1024', ...IMAFS, 'mount', '-o', options, backing, mountpoint],
    { stdio: 'inherit' },
  );
  return mountpoint;
}

interface Status {
  readonly measurements: { readonly count: number; readonly extended: number };
  readonly mount: { readonly pid: number; readonly counters: { readonly nodes: number } };
}

export function statusOf(mountpoint: string): Status {
  return JSON.parse(readFileSync(join(mountpoint, '.ima/self/status'), 'utf8')) as Status;
}

/** Resident memory in MiB of the daemon behind a mount. */
export function daemonMemory(mountpoint: string): number {
  const text = readFileSync(`/proc/${statusOf(mountpoint).mount.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s*(\d+)/m.exec(text)?.[1]) / 1024;
}

/** CPU time in microseconds that a daemon has had, to a hundredth of a second. */
export function cpuOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // utime and stime in ticks: the 12th and 13th field behind the program's name.
  const [user, system] = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return (Number(user) + Number(system)) * 10_000;
}

export function unmount(mountpoint: string): void {
  try {
    execFileSync('umount', [mountpoint], { stdio: 'ignore' });
  } catch {
    execFileSync('umount', ['-l', mountpoint]);
  }
}

/** Takes away every mount below `work`, lazily if need be, and says whether none is left. */
export function unmountAll(work: string): boolean {
  for (const mountpoint of mountpointsBelow(work).reverse()) unmount(mountpoint);
  return mountpointsBelow(work).length === 0;
}

function mountpointsBelow(work: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((mountpoint) => mountpoint.startsWith(`${work}/`));
}
