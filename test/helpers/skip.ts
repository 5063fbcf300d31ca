/** The only way for a test to be skipped: a capability is missing, and the reason is printed. */

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

const CAPABILITIES = {
  io_uring: () => readNumber('/proc/sys/kernel/io_uring_disabled') === 0,
  'user namespaces': () => readNumber('/proc/sys/user/max_user_namespaces') > 0,
  passthrough: () => atLeastKernel(6, 9),
  'namespace ids': () => atLeastKernel(6, 11),
  leases: () => readNumber('/proc/sys/fs/leases-enable') === 1,
  cgroups: () => cgroupRoot() !== undefined,
  overlayfs: () => hasFileSystem('overlay'),
  'loop devices': () => existsSync('/dev/loop-control'),
  'btrfs on loop devices': () => hasFileSystem('btrfs') && existsSync('/dev/loop-control'),
  // fs/quota/quota_v2.c: without it ext4 refuses an image that has quotas.
  'quota format of ext4': () =>
    readFileSync('/proc/kallsyms', 'utf8').includes(' v2_check_quota_file'),
  // The feature is listed by a kernel that was built with it; mkfs.ext4 asks no kernel.
  'fs-verity of ext4': () =>
    existsSync('/sys/fs/ext4/features/verity') && existsSync('/dev/loop-control'),
  evmctl: () => hasCommand('evmctl'),
  fsverity: () => hasCommand('fsverity'),
  setfacl: () => hasCommand('setfacl'),
  systemd: () => hasCommand('systemd-analyze'),
} as const satisfies Readonly<Record<string, () => boolean>>;

export type Capability = keyof typeof CAPABILITIES;

/** Value for node:test's `skip`: false where the capability is there, else the reason. */
export function skipUnless(capability: Capability, reason: string): string | false {
  return CAPABILITIES[capability]() ? false : `no ${capability} here: ${reason}`;
}

/** Where child groups can be made whose paths the daemon looks at; undefined: nowhere. */
export function cgroupRoot(): string | undefined {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  const line =
    mounts.find((mount) => / - cgroup2 .* rw/.test(mount)) ??
    mounts.find((mount) => / - cgroup .* rw.*name=systemd/.test(mount));
  return line?.split(' ')[4];
}

function readNumber(path: string): number {
  return existsSync(path) ? Number(readFileSync(path, 'utf8')) : Number.NaN;
}

function atLeastKernel(major: number, minor: number): boolean {
  const found = /^(\d+)\.(\d+)/.exec(readFileSync('/proc/sys/kernel/osrelease', 'utf8'));
  const [, foundMajor = 0, foundMinor = 0] = (found ?? []).map(Number);
  return foundMajor > major || (foundMajor === major && foundMinor >= minor);
}

function hasFileSystem(name: string): boolean {
  return readFileSync('/proc/filesystems', 'utf8').includes(`\t${name}\n`);
}

function hasCommand(name: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${name}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
