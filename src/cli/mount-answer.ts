import type { MountLine } from '../base/mountinfo.js';
import { controlError, noDaemon } from './control-client.js';
import { EXIT } from './exit-codes.js';
import type { MountProbe } from './mount-probe.js';
import { parseStatus, type Status, statusFile } from './mount-status.js';
import { UserError } from './user-error.js';

/** The status that a daemon answered with; throws a UserError that says why there is none. */
export function statusOf(
  { mountpoint }: MountLine,
  probe: MountProbe,
  controlName: string,
): Status {
  switch (probe.state) {
    case 'served':
      if (probe.status !== undefined) return parseStatus(probe.status);
      throw controlError(mountpoint, statusFile(controlName), probe.refused);
    case 'dead':
      throw noDaemon(mountpoint);
    case 'silent':
      throw noAnswer(mountpoint);
    case 'unreachable':
      throw unreachable(mountpoint);
  }
}

export function noAnswer(mountpoint: string): UserError {
  return new UserError(EXIT.noDaemon, 'no-answer', `the daemon of ${mountpoint} ${NO_ANSWER}`, [
    ...ANSWER_HINTS,
    `imafs umount ${mountpoint} takes its mount away`,
  ]);
}

export const NO_ANSWER = 'is there, but does not answer';

/** What can be done about a daemon that is there. */
export const ANSWER_HINTS = [
  "pgrep -af 'mount --foreground' shows daemons; one that is stopped goes on by kill -CONT PID",
];

export function unreachable(mountpoint: string): UserError {
  return new UserError(
    EXIT.noDaemon,
    'unreachable',
    `the mount on ${mountpoint} cannot be reached: another mount lies over it or on the way to it`,
    [`findmnt shows the mounts; what lies over it goes by umount ${mountpoint}`],
  );
}
