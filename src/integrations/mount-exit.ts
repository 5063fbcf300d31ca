import { EXIT, type ExitCode } from '../cli/exit-codes.js';

/** Exit codes of mount(8) and umount(8), which pass on what their helpers end with. */
export const MOUNT_EXIT = {
  ok: 0,
  /** Incorrect invocation or permissions. */
  usage: 1,
  /** The mount, or the unmount, failed. */
  failure: 32,
} as const;

export type MountExit = (typeof MOUNT_EXIT)[keyof typeof MOUNT_EXIT];

/** The exit code of mount(8) that says what one of imafs' says. */
export function mountExit(exit: ExitCode): MountExit {
  if (exit === EXIT.ok) return MOUNT_EXIT.ok;
  return exit === EXIT.usage || exit === EXIT.missing ? MOUNT_EXIT.usage : MOUNT_EXIT.failure;
}
