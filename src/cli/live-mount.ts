import { mountOfPath } from '../base/mountinfo.js';
import { absolutePath } from './absolute-path.js';
import { connect, demandAnswers } from './connect.js';
import type { ControlClient } from './control-client.js';
import { IMAFS_TYPE, readMountTable } from './mount-table.js';
import { UserError } from './user-error.js';

/** Where an operand lies on a live mount. */
export interface LiveMount {
  readonly client: ControlClient;
  /** From the root of the mount, which itself is ''. */
  readonly below: string;
}

/** Undefined for what is on none, or nowhere; a daemon that keeps silent is an error. */
export async function liveMount(
  operand: string,
  control: string | undefined,
): Promise<LiveMount | undefined> {
  await demandAnswers(operand, control);
  try {
    const path = absolutePath(operand);
    if (mountOfPath(readMountTable(), path)?.type !== IMAFS_TYPE) return undefined;
    const client = await connect(path, control);
    return { client, below: client.pathBelow(path).replace(/^\/$/, '') };
  } catch (error) {
    // A path that is not there is reported by the walk.
    if (error instanceof UserError && error.code === 'no-such-path') return undefined;
    throw error;
  }
}
