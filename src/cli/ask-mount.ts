/**
 * The process that asks a mount on behalf of another, which does not wait for ever: started with a
 * mountpoint, the id of the mount that should be there, and the path of its status file below it.
 */
import { closeSync, openSync, readFileSync, statfsSync } from 'node:fs';
import { join } from 'node:path';

import { errnoOf } from '../base/errno.js';
import { ASKING, type MountAnswer } from './mount-probe.js';
import { isDeadErrno, mountIdOf, O_PATH } from './mount-table.js';

const [mountpoint = '', id, statusFile = ''] = process.argv.slice(2);

function ask(): MountAnswer {
  let fd: number | undefined;
  try {
    fd = openSync(mountpoint, O_PATH);
    if (String(mountIdOf(fd)) !== id) return { state: 'unreachable' };
    return askRoot(`/proc/self/fd/${fd}`);
  } catch {
    return { state: 'unreachable' };
  } finally {
    // Before the answer: it keeps the mount in use, and may be asked for an unmount.
    if (fd !== undefined) closeSync(fd);
  }
}

/** By statfs(2), which always asks the daemon: attributes of the root may be cached. */
function askRoot(root: string): MountAnswer {
  try {
    statfsSync(root);
    return { state: 'served', status: readFileSync(join(root, statusFile), 'utf8') };
  } catch (error) {
    const code = errnoOf(error);
    return isDeadErrno(code) ? { state: 'dead' } : { state: 'served', refused: code };
  }
}

process.send?.(ASKING, undefined, undefined, () => {
  process.send?.(ask(), undefined, undefined, () => {
    process.disconnect();
  });
});
