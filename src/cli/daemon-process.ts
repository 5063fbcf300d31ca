import { spawn } from 'node:child_process';
import { closeSync, fstatSync, mkdirSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';

import { asExitCode, EXIT } from './exit-codes.js';
import { UserError } from './user-error.js';

/** What a daemon that was started with an IPC channel tells its starter, once. */
export type DaemonMessage =
  | { readonly type: 'ready' }
  | {
      readonly type: 'failed';
      readonly exit: number;
      readonly code: string;
      readonly message: string;
      readonly hints: readonly string[];
    };

/** Name of the detached daemon's log in its state directory. */
export const DAEMON_LOG = 'daemon.log';

/**
 * An upcall leaves a few objects behind; collecting them in small portions keeps some 35 MB less
 * (seen with 100,000 files known).
 */
const NODE_FLAGS = ['--max-semi-space-size=1'];

/**
 * Starts `imafs WORDS` in a session of its own, its output going to the state directory's log, and
 * resolves with its pid once it says it is ready; rejects with the UserError it reports.
 */
export async function startDetached(
  words: readonly string[],
  stateDirectory: string,
): Promise<number> {
  const log = openLog(stateDirectory);
  const logStart = fstatSync(log).size;
  const child = spawn(process.execPath, [...NODE_FLAGS, process.argv[1] ?? '', ...words], {
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
  });
  try {
    return await new Promise<number>((resolve, reject) => {
      child.on('message', (message: DaemonMessage) => {
        if (message.type === 'ready') resolve(child.pid ?? 0);
        else reject(asUserError(message));
      });
      child.on('error', reject);
      child.on('exit', (code, signal) => {
        const how = signal === null ? `exit code ${code}` : signal;
        const hints = tailOf(log, logStart).map((line) => `daemon: ${line}`);
        const end = new UserError(
          EXIT.runtime,
          'daemon-ended',
          `the daemon ended with ${how}`,
          hints,
        );
        // What it said before may still be on its way.
        if (child.connected) child.once('disconnect', () => reject(end));
        else reject(end);
      });
    });
  } finally {
    closeSync(log);
    // Its end is no news any more, for a starter that lives on.
    child.removeAllListeners('exit');
    if (child.connected) child.disconnect();
    child.unref();
  }
}

/**
 * Sends one message to whoever started this process with startDetached, if anybody did; false if they
 * are gone.
 */
export async function tellStarter(message: DaemonMessage): Promise<boolean> {
  if (process.send === undefined) return true;
  const error = await new Promise<Error | null>((resolve) => {
    process.send?.(message, undefined, undefined, resolve);
  });
  if (process.connected) process.disconnect();
  return error === null;
}

function asUserError(message: Extract<DaemonMessage, { type: 'failed' }>): UserError {
  const exit = asExitCode(message.exit) ?? EXIT.runtime;
  return new UserError(exit, message.code, message.message, message.hints);
}

function openLog(stateDirectory: string): number {
  try {
    mkdirSync(stateDirectory, { recursive: true, mode: 0o700 });
    return openSync(join(stateDirectory, DAEMON_LOG), 'a+', 0o600);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UserError(
      EXIT.runtime,
      'bad-state',
      `state directory ${stateDirectory} cannot be written: ${code}`,
      ['choose another one with -o state=DIR'],
    );
  }
}

/** The last lines written after `start`, for a daemon that died without a word. */
function tailOf(log: number, start: number): string[] {
  const buffer = Buffer.alloc(2048);
  const end = fstatSync(log).size;
  const length = readSync(log, buffer, 0, buffer.length, Math.max(start, end - buffer.length));
  return buffer
    .toString('utf8', 0, length)
    .split('\n')
    .filter((line) => line !== '')
    .slice(-5);
}
