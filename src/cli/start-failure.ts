import { errnoOf } from '../base/errno.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { UserError } from './user-error.js';

/** Why a daemon did not start, with the exit code and the way out that fit. */
export function startFailure(error: unknown): UserError {
  if (error instanceof UserError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const errno = errnoOf(error);
  const { exit, code, hints } = remedy(errno);
  return new UserError(exit, code, `cannot mount: ${message}`, hints);
}

function remedy(errno: string | undefined): { exit: ExitCode; code: string; hints: string[] } {
  switch (errno) {
    case 'EPERM':
    case 'EACCES':
      return {
        exit: EXIT.missing,
        code: 'missing-capability',
        hints: ['run it as root, in a container with --cap-add SYS_ADMIN; see imafs doctor'],
      };
    case 'ENODEV':
    case 'ENXIO':
      return { exit: EXIT.missing, code: 'missing-device', hints: ['modprobe fuse'] };
    case 'EEXIST':
    case 'ENOTDIR':
    case 'ENOENT':
    case 'ELOOP':
      return { exit: EXIT.badPath, code: 'bad-backing', hints: [] };
    default:
      return { exit: EXIT.runtime, code: 'start-failed', hints: ['imafs doctor'] };
  }
}
