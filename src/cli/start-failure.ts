import { errnoOf } from '../base/errno.js';
import { StartProblem } from '../daemon-options.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { UserError } from './user-error.js';

/** Why a daemon did not start, with the exit code and the way out that fit. */
export function startFailure(error: unknown): UserError {
  if (error instanceof UserError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof StartProblem) {
    const { exit, code, hints } = REMEDIES[error.about];
    return new UserError(exit, code, `cannot mount: ${message}`, hints);
  }
  const errno = errnoOf(error);
  const { exit, code, hints } = remedy(errno);
  return new UserError(exit, code, `cannot mount: ${message}`, hints);
}

interface Remedy {
  readonly exit: ExitCode;
  readonly code: string;
  readonly hints: readonly string[];
}

const REMEDIES: Readonly<Record<StartProblem['about'], Remedy>> = {
  'system-namespace': {
    exit: EXIT.usage,
    code: 'system-namespace',
    hints: ['-o system_ns=self, or -o system_ns=/proc/PID/ns/mnt of a process of the system'],
  },
  policy: { exit: EXIT.badPolicy, code: 'policy-invalid', hints: ['imafs policy check FILE'] },
  hash: { exit: EXIT.usage, code: 'bad-mount-option', hints: ['-o ima_hash=sha256'] },
  audit: { exit: EXIT.runtime, code: 'bad-audit', hints: ['choose another file: -o audit=FILE'] },
  state: { exit: EXIT.runtime, code: 'bad-state', hints: ['choose another one: -o state=DIR'] },
  keys: { exit: EXIT.key, code: 'bad-key', hints: ['imafs key check CERT'] },
  mountpoint: {
    exit: EXIT.mounted,
    code: 'already-mounted',
    hints: ['imafs status shows the mounts'],
  },
  'tpm-name': {
    exit: EXIT.usage,
    code: 'bad-mount-option',
    hints: ['-o tpm=swtpm starts a TPM in software, -o tpm=none needs none'],
  },
  tpm: { exit: EXIT.tpm, code: 'tpm', hints: ['imafs doctor'] },
};

function remedy(errno: string | undefined): Remedy {
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
