import { execFileSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

import type { MountLine } from '../base/mountinfo.js';
import { EXIT } from './exit-codes.js';
import { probeMount } from './mount-probe.js';
import { IMAFS_TYPE, mountAt, mountIdOf, O_PATH } from './mount-table.js';
import { UserError } from './user-error.js';

/** Takes away what is mounted on top at a mountpoint; `lazily` also if it is in use. */
export function unmount(
  mountpoint: string,
  lazily: boolean,
  hintsIfBusy: readonly string[] = [],
): void {
  const said = umount8([...(lazily ? ['-l'] : []), '--', mountpoint]);
  if (said === undefined) return;
  const isBusy = said.includes('busy');
  throw new UserError(
    /permi|superuser|root/i.test(said) ? EXIT.missing : EXIT.runtime,
    isBusy ? 'busy' : 'umount',
    isBusy ? `${mountpoint} is in use` : said,
    isBusy ? [`fuser -vm ${mountpoint} shows who uses it`, ...hintsIfBusy] : [],
  );
}

/**
 * Detaches the imafs mounts on top of a mountpoint as long as their daemons are gone; how many there
 * were. What still uses them keeps its dead files.
 */
export async function detachDead(mountpoint: string): Promise<number> {
  for (let count = 0; ; ) {
    const top = mountAt(mountpoint);
    if (top?.type !== IMAFS_TYPE || (await probeMount(top)).state !== 'dead') return count;
    if (detachThis(top)) count += 1;
  }
}

/**
 * By a descriptor on that very mount: by its path, what somebody else mounted there a moment ago would
 * go instead. False if it is gone already.
 */
function detachThis({ mountpoint, id }: MountLine): boolean {
  const root = openSync(mountpoint, O_PATH);
  try {
    if (mountIdOf(root) !== id) return false;
    const said = umount8(['-l', '--', '/proc/self/fd/3'], root);
    if (said === undefined) return true;
    if (mountAt(mountpoint)?.id !== id) return false;
    throw new UserError(
      /permi|superuser|root/i.test(said) ? EXIT.missing : EXIT.runtime,
      'umount',
      `${mountpoint}: ${said}`,
    );
  } finally {
    closeSync(root);
  }
}

/**
 * What umount(8) complained of, undefined if it did as told. -i: without its helpers, which lead here;
 * -c: a dead mount cannot be looked at. `fd` is its descriptor 3.
 */
function umount8(words: readonly string[], fd?: number): string | undefined {
  try {
    execFileSync('umount', ['-i', '-c', ...words], {
      stdio: ['ignore', 'ignore', 'pipe', ...(fd === undefined ? [] : [fd])],
      env: { ...process.env, LC_ALL: 'C' },
    });
    return undefined;
  } catch (error) {
    return String((error as { stderr?: Buffer }).stderr ?? error).trim();
  }
}
