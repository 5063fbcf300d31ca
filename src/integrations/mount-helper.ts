import { lstatSync } from 'node:fs';

import { errnoOf } from '../base/errno.js';
import { failure, type Result, success } from '../base/result.js';
import { EXIT, type ExitCode } from '../cli/exit-codes.js';
import { knownOptions } from '../cli/mount-options.js';
import type { Output } from '../cli/output.js';
import { UserError } from '../cli/user-error.js';
import { helperWords } from './helper-words.js';
import { MOUNT_EXIT, type MountExit, mountExit } from './mount-exit.js';

const USAGE = 'mount.fuse.imafs BACKING MOUNTPOINT [-fnrsvw] [-o OPTIONS]';

export interface MountRequest {
  readonly backing: string;
  readonly mountpoint: string;
  /** Values of -o. */
  readonly options: readonly string[];
  readonly isFake: boolean;
  /** Options that are not known are no failure. */
  readonly isSloppy: boolean;
  readonly isVerbose: boolean;
}

/**
 * /sbin/mount.fuse.imafs, which mount(8) calls for this type (mount(8), "External helpers"): does what
 * `imafs mount` does and ends with an exit code of mount(8).
 */
export async function mountHelper(
  words: readonly string[],
  runVerb: (words: readonly string[]) => Promise<ExitCode>,
  output: Output,
): Promise<MountExit> {
  const request = mountRequest(words);
  if (!request.ok) {
    output.error(new UserError(EXIT.usage, 'mount-helper', request.problem, [`usage: ${USAGE}`]));
    return MOUNT_EXIT.usage;
  }
  const { backing, mountpoint, options, isFake, isSloppy, isVerbose } = request.value;
  if (has(options, 'nofail') && isMissing(backing)) {
    output.note(`imafs: ${backing} does not exist: nothing is mounted (nofail)`);
    return MOUNT_EXIT.ok;
  }
  const { known, unknown } = isSloppy ? knownOptions(options) : { known: options, unknown: [] };
  for (const option of unknown) output.note(`imafs: unknown mount option '${option}' is ignored`);
  const lists = known.flatMap((list) => ['-o', list]);
  const fake = isFake ? ['--fake'] : [];
  const exit = await runVerb(['mount', ...fake, ...lists, '--', backing, mountpoint]);
  if (exit === EXIT.ok && isVerbose) {
    output.result('mounted', {}, `imafs: ${backing} mounted on ${mountpoint}.`);
  }
  return mountExit(exit);
}

/** `-n` asks for nothing that is done anyway, and `-t` says what is known. */
export function mountRequest(words: readonly string[]): Result<MountRequest, string> {
  const parsed = helperWords(words, { flags: 'fnrsvw', valued: 'oNt' });
  if (!parsed.ok) return parsed;
  const { operands, flags, values } = parsed.value;
  if (values.has('N')) {
    return failure('mount -N is not supported: nsenter -t PID -m mount ... does it');
  }
  const [backing, mountpoint] = operands;
  if (backing === undefined || mountpoint === undefined || operands.length > 2) {
    return failure(`mount.fuse.imafs takes BACKING MOUNTPOINT, got ${operands.length}`);
  }
  if (/^(LABEL|UUID|PARTLABEL|PARTUUID|ID)=/.test(backing)) {
    return failure(`${backing} names a device: imafs mounts a directory`);
  }
  const options = [...(values.get('o') ?? [])].filter((list) => list !== '');
  if (has(options, 'remount')) {
    return failure(`a remount is not supported: umount ${mountpoint}, then mount it anew`);
  }
  if (flags.has('r')) options.push('ro');
  else if (flags.has('w')) options.push('rw');
  return success({
    backing,
    mountpoint,
    options,
    isFake: flags.has('f'),
    isSloppy: flags.has('s'),
    isVerbose: flags.has('v'),
  });
}

function has(lists: readonly string[], word: string): boolean {
  return lists.some((list) => list.split(',').includes(word));
}

function isMissing(path: string): boolean {
  try {
    lstatSync(path);
    return false;
  } catch (error) {
    return errnoOf(error) === 'ENOENT';
  }
}
