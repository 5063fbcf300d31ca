import { accessSync, constants, existsSync, readFileSync, readlinkSync } from 'node:fs';

import { errnoOf } from '../base/errno.js';
import { missingCapabilities } from './capabilities.js';
import { tpmFindings } from './doctor-tpm.js';

/** ok; a note changes nothing; a problem should be mended; missing makes mounting impossible. */
export type Severity = 'ok' | 'note' | 'problem' | 'missing';

export interface Finding {
  readonly about: string;
  readonly severity: Severity;
  readonly message: string;
  /** What to do about it. */
  readonly remedy?: string;
}

/** What this machine brings, in the order shown. */
export function machineFindings(): Finding[] {
  return [
    node(),
    device(),
    capabilities(),
    kernel(),
    leases(),
    systemNamespace(),
    ...tpmFindings(),
  ];
}

function node(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const about = 'node';
  return major > 20 || (major === 20 && minor >= 19)
    ? { about, severity: 'ok', message: process.version }
    : {
        about,
        severity: 'problem',
        message: `${process.version} is older than 20.19`,
        remedy: 'upgrade Node',
      };
}

function device(): Finding {
  const about = '/dev/fuse';
  try {
    accessSync(about, constants.R_OK | constants.W_OK);
    return { about, severity: 'ok', message: 'there' };
  } catch (error) {
    const remedy = 'modprobe fuse; in a container: --device /dev/fuse';
    return { about, severity: 'missing', message: errnoOf(error) ?? String(error), remedy };
  }
}

function capabilities(): Finding {
  const about = 'capabilities';
  const missing = missingCapabilities([
    'CAP_SYS_ADMIN',
    'CAP_SYS_PTRACE',
    'CAP_DAC_READ_SEARCH',
    'CAP_LEASE',
  ]);
  return missing.length === 0
    ? { about, severity: 'ok', message: 'enough' }
    : {
        about,
        severity: 'missing',
        message: `without ${missing.join(', ')}`,
        remedy: 'run it as root',
      };
}

/** What the kernel brings by its version: 5.15 protocol 7.34, 6.9 passthrough, 6.11 namespace ids. */
function kernel(): Finding {
  const about = 'kernel';
  const release = readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim();
  const [major = 0, minor = 0] = release.split(/[.-]/).map(Number);
  const isAtLeast = (wanted: number, wantedMinor: number): boolean =>
    major > wanted || (major === wanted && minor >= wantedMinor);
  if (!isAtLeast(5, 15)) {
    return {
      about,
      severity: 'missing',
      message: `${release} is older than 5.15`,
      remedy: 'upgrade it',
    };
  }
  const without = [
    ...(isAtLeast(6, 9) ? [] : ['FUSE passthrough (6.9): the daemon serves reads and writes']),
    ...(isAtLeast(6, 11) ? [] : ['namespace ids (6.11): namespaces with state are kept alive']),
  ];
  return without.length === 0
    ? { about, severity: 'ok', message: `${release}, with passthrough and namespace ids` }
    : { about, severity: 'note', message: `${release}, without ${without.join('; without ')}` };
}

function leases(): Finding {
  const about = 'leases';
  const path = '/proc/sys/fs/leases-enable';
  return existsSync(path) && readFileSync(path, 'utf8').trim() === '1'
    ? { about, severity: 'ok', message: 'enabled' }
    : {
        about,
        severity: 'problem',
        message: 'fs.leases-enable is not 1: the end of a writable mapping cannot be seen',
        remedy: 'sysctl fs.leases-enable=1',
      };
}

function systemNamespace(): Finding {
  const about = 'system namespace';
  try {
    const isInit = readlinkSync('/proc/1/ns/mnt') === readlinkSync('/proc/self/ns/mnt');
    return isInit
      ? { about, severity: 'ok', message: "this process is in PID 1's mount namespace" }
      : {
          about,
          severity: 'note',
          message: "this mount namespace is not PID 1's",
          remedy: 'mount with -o system_ns=self or system_ns=/proc/1/ns/mnt',
        };
  } catch {
    return { about, severity: 'note', message: "PID 1's cannot be read: the daemon's own counts" };
  }
}
