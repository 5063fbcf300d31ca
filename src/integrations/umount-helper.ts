import { spawnSync } from 'node:child_process';

import { EXIT, type ExitCode } from '../cli/exit-codes.js';
import type { Output } from '../cli/output.js';
import { UserError } from '../cli/user-error.js';
import { helperWords } from './helper-words.js';
import { MOUNT_EXIT, mountExit } from './mount-exit.js';

const USAGE = 'umount.fuse.imafs MOUNTPOINT [-flnrv]';

/** What umount(8) does best by itself: nothing is waited for then. */
const BY_ITSELF = ['f', 'l', 'r'] as const;

/**
 * /sbin/umount.fuse.imafs, which umount(8) calls for this type: returns when the daemon has ended, as
 * `imafs umount` does, so that what lies below (the backing's file system, say) can be unmounted next.
 */
export async function umountHelper(
  words: readonly string[],
  runVerb: (words: readonly string[]) => Promise<ExitCode>,
  output: Output,
): Promise<number> {
  const parsed = helperWords(words, { flags: 'flnrv', valued: 'Nt' });
  if (!parsed.ok) return refuse(output, parsed.problem);
  const { operands, flags, values } = parsed.value;
  const [mountpoint] = operands;
  if (mountpoint === undefined || operands.length > 1) {
    return refuse(output, `umount.fuse.imafs takes MOUNTPOINT, got ${operands.length}`);
  }
  const own: string[] = BY_ITSELF.filter((letter) => flags.has(letter)).map(
    (letter) => `-${letter}`,
  );
  const [namespace] = values.get('N') ?? [];
  if (namespace !== undefined) own.push('-N', namespace);
  if (own.length > 0) return umount8([...own, '--', mountpoint]);
  const exit = mountExit(await runVerb(['umount', '--', mountpoint]));
  if (exit === MOUNT_EXIT.ok && flags.has('v')) {
    output.result('unmounted', {}, `imafs: ${mountpoint} unmounted`);
  }
  return exit;
}

function refuse(output: Output, problem: string): number {
  output.error(new UserError(EXIT.usage, 'umount-helper', problem, [`usage: ${USAGE}`]));
  return MOUNT_EXIT.usage;
}

/** -i: without its helpers, which lead here. */
function umount8(words: readonly string[]): number {
  const { status } = spawnSync('umount', ['-i', ...words], { stdio: 'inherit' });
  return status ?? MOUNT_EXIT.failure;
}
