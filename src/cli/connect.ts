import type { MountLine } from '../base/mountinfo.js';
import { mountOnTheWay } from './absolute-path.js';
import { type ControlClient, controlClientOf, noDaemon } from './control-client.js';
import { noAnswer, unreachable } from './mount-answer.js';
import { MOUNT_OPTIONS } from './mount-option-table.js';
import { type MountProbe, probeMount } from './mount-probe.js';

/** What each mount answered, by its id: it is asked once in the run of a verb. */
const answers = new Map<number, MountProbe['state']>();

/**
 * The daemon whose mount `path` lies on; the path itself need not be readable. A daemon that is stopped
 * or hangs keeps nobody waiting for more than the probe's limit.
 */
export async function connect(
  path: string,
  controlName: string = MOUNT_OPTIONS.control.default,
): Promise<ControlClient> {
  await demandAnswers(path, controlName);
  const client = controlClientOf(path, controlName);
  const { mount } = client;
  if ((await ask(mount, controlName)) === 'unreachable') throw unreachable(mount.mountpoint);
  return client;
}

/** To be called before a path that may lie on a mount is touched: throws if a daemon keeps silent. */
export async function demandAnswers(
  path: string,
  controlName: string = MOUNT_OPTIONS.control.default,
): Promise<void> {
  const passed = new Set<number>();
  for (;;) {
    const mount = mountOnTheWay(path, passed);
    if (mount === undefined) return;
    await ask(mount, controlName);
    passed.add(mount.id);
  }
}

async function ask(mount: MountLine, controlName: string): Promise<MountProbe['state']> {
  const state = answers.get(mount.id) ?? (await probeMount(mount, controlName)).state;
  answers.set(mount.id, state);
  if (state === 'dead') throw noDaemon(mount.mountpoint);
  if (state === 'silent') throw noAnswer(mount.mountpoint);
  return state;
}
