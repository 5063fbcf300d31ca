import { type ChildProcess, fork } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import type { MountLine } from '../base/mountinfo.js';
import { MOUNT_OPTIONS } from './mount-option-table.js';
import { statusFile } from './mount-status.js';

/** What one learns by asking a mount. */
export type MountAnswer =
  | { readonly state: 'served'; readonly status: string; readonly refused?: never }
  /** There is a daemon, but this caller may not read its status, or `control=` is another one. */
  | { readonly state: 'served'; readonly refused: string | undefined; readonly status?: never }
  /** Nobody serves it any more. */
  | { readonly state: 'dead' }
  /** Another mount lies over it, or its path leads through a dead one. */
  | { readonly state: 'unreachable' };

/** What the asking process says first: from now on it its time counts. */
export const ASKING = 'asking';

/** Silent: no answer in time. The daemon may be stopped, hang, or be slow. */
export type MountProbe = MountAnswer | { readonly state: 'silent' };

const ASKER = fileURLToPath(new URL('./ask-mount.js', import.meta.url));

const LIMIT_MS = 5000;
const GONE_MS = 500;

/**
 * Asks a mount whether it is served, by a process of its own: who asks a daemon that does not answer
 * may be beyond every signal, and so must be left behind.
 */
export async function probeMount(
  { mountpoint, id }: MountLine,
  controlName: string = MOUNT_OPTIONS.control.default,
): Promise<MountProbe> {
  const asker = fork(ASKER, [mountpoint, String(id), statusFile(controlName)], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  let limit: NodeJS.Timeout | undefined;
  const probe = await new Promise<MountProbe>((resolve, reject) => {
    asker.on('message', (said: typeof ASKING | MountAnswer) => {
      if (said !== ASKING) resolve(said);
      else limit = setTimeout(resolve, LIMIT_MS, { state: 'silent' });
    });
    asker.once('error', reject);
    // After whatever it has said.
    asker.once('disconnect', () => {
      reject(new Error(`the process that asks ${mountpoint} ended without an answer`));
    });
  });
  clearTimeout(limit);
  if (probe.state === 'silent') await leave(asker);
  return probe;
}

/** It keeps the mount in use until it is gone, which the kernel may put off. */
async function leave(asker: ChildProcess): Promise<void> {
  asker.removeAllListeners();
  const gone = new Promise((resolve) => asker.once('exit', resolve));
  asker.kill('SIGKILL');
  await Promise.race([gone, sleep(GONE_MS, undefined, { ref: false })]);
  asker.unref();
  if (asker.connected) asker.disconnect();
}
