import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Invocation } from './command.js';
import { absolutePath, connect } from './control-client.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { readStatus } from './mount-status.js';
import { IMAFS_TYPE, isDead, mountAt, readMountTable } from './mount-table.js';
import { UserError } from './user-error.js';

const POLL_MS = 20;
/** A daemon without mounts ends within this time, or it is still mounted somewhere. */
const PROMPT_END_MS = 1000;

/**
 * `imafs umount`: unmounts and waits until the daemon is gone too, so that what it journals at its end
 * is written. A mount whose daemon died is detached whatever still uses it.
 */
export async function umount({ operands, options, output }: Invocation): Promise<ExitCode> {
  const mountpoint = absolutePath((operands[0] ?? '').replace(/(.)\/+$/, '$1'));
  const entry = mountAt(mountpoint);
  if (entry?.type !== IMAFS_TYPE) {
    throw new UserError(EXIT.badPath, 'not-mounted', `${mountpoint} is not an imafs mountpoint`, [
      'imafs status shows the mounts',
    ]);
  }
  const dead = isDead(mountpoint);
  const pid = dead ? undefined : daemonPid(mountpoint, options.text('control'));
  unmount(mountpoint, dead);
  const ended = pid === undefined || (await daemonEnds(pid, entry.device));
  if (!ended) {
    output.note(`imafs: another mount namespace still has this mount: daemon ${pid} runs on`);
  }
  output.result('unmounted', { mountpoint, dead, daemonEnded: ended }, undefined);
  return EXIT.ok;
}

/** undefined where the caller may not read the status: then nothing is waited for. */
function daemonPid(mountpoint: string, control: string | undefined): number | undefined {
  try {
    return readStatus(connect(mountpoint, control)).mount?.pid;
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** By umount(8) without its helpers; -c because a dead mount cannot be looked at. */
export function unmount(mountpoint: string, lazy: boolean): void {
  try {
    execFileSync('umount', ['-i', '-c', ...(lazy ? ['-l'] : []), '--', mountpoint], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  } catch (error) {
    const said = String((error as { stderr?: Buffer }).stderr ?? error).trim();
    const isBusy = said.includes('busy');
    throw new UserError(
      /permi|superuser|root/i.test(said) ? EXIT.missing : EXIT.runtime,
      isBusy ? 'busy' : 'umount',
      isBusy ? `${mountpoint} is in use` : said,
      isBusy ? [`fuser -vm ${mountpoint} shows who uses it`] : [],
    );
  }
}

/** true once the process is gone, false if other mount namespaces keep the mount. */
export async function daemonEnds(pid: number, device: string): Promise<boolean> {
  for (let waitedMs = 0; isRunning(pid); waitedMs += POLL_MS) {
    if (waitedMs >= PROMPT_END_MS && waitedMs % PROMPT_END_MS === 0 && isMountedAnywhere(device)) {
      return false;
    }
    await sleep(POLL_MS);
  }
  return true;
}

/** A zombie, whose parent is slow to notice, has ended. */
function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
}

/** Looks at one process of each mount namespace. */
function isMountedAnywhere(device: string): boolean {
  const seen = new Set<string>();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const namespace = readlinkSync(`/proc/${pid}/ns/mnt`);
      if (seen.has(namespace)) continue;
      seen.add(namespace);
      if (readMountTable(pid).some((entry) => entry.device === device && entry.type === IMAFS_TYPE))
        return true;
    } catch {
      // The process ended or may not be looked at; another one shows the same namespace, if any.
    }
  }
  return false;
}
