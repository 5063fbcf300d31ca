import type { MountLine } from '../base/mountinfo.js';
import { absolutePath } from './absolute-path.js';
import type { Invocation } from './command.js';
import { awaitEnd } from './daemon-end.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { unreachable } from './mount-answer.js';
import { probeMount } from './mount-probe.js';
import { parseStatus } from './mount-status.js';
import { IMAFS_TYPE, mountAt, readMountTable } from './mount-table.js';
import { detachDead, unmount } from './unmount.js';
import { UserError } from './user-error.js';

/** For those that wait for an answer of its daemon, and keep the mount in use. */
const FORCE =
  'umount -f ends whatever waits for its daemon, which does not answer; then umount again';

/**
 * `imafs umount`: unmounts and waits until the daemon is gone too, so that what it journals at its end
 * is written. A mount whose daemon died is detached whatever still uses it.
 */
export async function umount({ operands, options, output }: Invocation): Promise<ExitCode> {
  const mountpoint = absolutePath(operands[0] ?? '');
  const mount = mountAt(mountpoint);
  if (mount?.type !== IMAFS_TYPE) throw notMounted(mountpoint);
  const probe = await probeMount(mount, options.text('control'));
  const dead = probe.state === 'dead';
  let daemonEnded = dead;
  if (probe.state === 'unreachable') throw unreachable(mountpoint);
  if (dead) {
    await detachDead(mountpoint);
  } else {
    unmount(mountpoint, false, probe.state === 'silent' ? [FORCE] : []);
    // Whoever may not read the status does not learn whose end to wait for.
    const pid = probe.state === 'served' ? pidIn(probe.status) : undefined;
    const left = await whatIsLeft(mount, pid);
    if (left !== undefined) output.note(`imafs: ${left}`);
    daemonEnded = left === undefined;
  }
  output.result('unmounted', { mountpoint, dead, daemonEnded }, undefined);
  return EXIT.ok;
}

/** Waits for the daemon's end; undefined then, otherwise why it was not awaited. */
async function whatIsLeft(
  { device }: MountLine,
  pid: number | undefined,
): Promise<string | undefined> {
  if (readMountTable().some((other) => other.device === device && other.type === IMAFS_TYPE)) {
    return 'this mount is also at another place: its daemon runs on';
  }
  if (pid === undefined) return 'its daemon did not say who it is: its end was not awaited';
  return awaitEnd(pid, device);
}

function pidIn(status: string | undefined): number | undefined {
  return status === undefined ? undefined : parseStatus(status).mount?.pid;
}

function notMounted(path: string): UserError {
  const served = readMountTable().find(
    ({ type, source }) => type === IMAFS_TYPE && source === path,
  );
  const hint =
    served === undefined ? 'imafs status shows the mounts' : `imafs umount ${served.mountpoint}`;
  return new UserError(EXIT.badPath, 'not-mounted', `${path} is not an imafs mountpoint`, [hint]);
}
