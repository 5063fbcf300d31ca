import { existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { isBelow } from '../base/mountinfo.js';
import { absolutePath } from './absolute-path.js';
import { type ControlClient, controlClientOf } from './control-client.js';
import { awaitEnd } from './daemon-end.js';
import { startDetached } from './daemon-process.js';
import { daemonSettings } from './daemon-settings.js';
import { EXIT } from './exit-codes.js';
import { demandMountOptions } from './mount.js';
import { type MountPlaces, resolveMountPlaces } from './mount-places.js';
import { IMAFS_TYPE, mountAt } from './mount-table.js';
import { unmount } from './unmount.js';
import { UserError } from './user-error.js';

/** A daemon that nobody uses any more ends long before. */
const END_MS = 10_000;

/** A mount with a daemon of its own, below a directory that goes away with it. */
export class TemporaryMount {
  private constructor(
    private readonly root: string,
    readonly places: MountPlaces,
    readonly client: ControlClient,
    private readonly daemonPid: number,
  ) {}

  /** Rejects with a UserError, and nothing is left then. */
  static async start(backing: string, mountOptions: readonly string[]): Promise<TemporaryMount> {
    const root = makeRoot(absolutePath(backing));
    const [mountpoint, state] = [join(root, 'mnt'), join(root, 'state')];
    try {
      for (const directory of [mountpoint, state]) mkdirSync(directory, { mode: 0o700 });
      const places = await resolveMountPlaces(backing, mountpoint);
      const lists = [`state=${state}`, ...mountOptions];
      const { controlName } = daemonSettings(places, demandMountOptions(lists), 'info');
      const words = ['mount', '--foreground', ...lists.flatMap((list) => ['-o', list])];
      const pid = await startDetached([...words, '--', places.backing, mountpoint], state);
      try {
        return new TemporaryMount(root, places, controlClientOf(mountpoint, controlName), pid);
      } catch (error) {
        await end(mountpoint, pid);
        throw error;
      }
    } catch (error) {
      remove(root);
      throw error;
    }
  }

  /** Unmounts, sees the daemon end, and removes what was made for it. */
  async takeDown(): Promise<void> {
    await end(this.places.mountpoint, this.daemonPid);
    remove(this.root);
  }
}

/** A directory outside the backing, which a mountpoint must not lie in. */
function makeRoot(backing: string): string {
  const where = [tmpdir(), '/run', '/var/tmp', '/dev/shm'].find(
    (directory) => existsSync(directory) && !isBelow(absolutePath(directory), backing),
  );
  if (where !== undefined) return mkdtempSync(join(where, 'imafs-run-'));
  throw new UserError(
    EXIT.badPath,
    'bad-backing',
    `there is no directory for temporary files outside ${backing}`,
    ['choose a smaller directory, or another TMPDIR'],
  );
}

/** Lazily where it is in use; by force where another mount namespace took a copy of the mount. */
async function end(mountpoint: string, daemonPid: number): Promise<void> {
  const device = mountAt(mountpoint)?.device;
  if (device !== undefined) {
    try {
      unmount(mountpoint, false);
    } catch {
      unmount(mountpoint, true);
    }
  }
  const patience = sleep(END_MS, 'too long', { ref: false });
  const left = await Promise.race([awaitEnd(daemonPid, device ?? ''), patience]);
  if (left === undefined) return;
  process.kill(daemonPid, 'SIGKILL');
  await awaitEnd(daemonPid, '');
}

/** Goes no deeper than what is surely ours: never into a mount. */
function remove(root: string): void {
  const mountpoint = join(root, 'mnt');
  if (mountAt(mountpoint)?.type === IMAFS_TYPE) return;
  if (existsSync(mountpoint)) rmdirSync(mountpoint);
  rmSync(join(root, 'state'), { recursive: true, force: true });
  rmdirSync(root);
}
