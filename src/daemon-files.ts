/** The part of the composition root that opens files of the daemon's own: its state and its audit file. */
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AuditLog } from './audit/audit-log.js';
import { readCallerFacts } from './audit/caller-facts.js';
import { createDeviceName } from './audit/device-name.js';
import { FileSink } from './audit/file-sink.js';
import { errnoOf } from './base/errno.js';
import type { Log } from './base/log.js';
import { takeNamedLock } from './base/named-lock.js';
import type { Addon } from './binding/addon-types.js';
import { type DaemonOptions, StartProblem } from './daemon-options.js';
import { Journal } from './gate/journal.js';

/** How long the daemon before this one may take to end, or to mount. */
const LOCK_MS = 5000;

/** Its files are the daemon's own, so an error of theirs must not be taken for one of the mount. */
export const openState = async (directory: string, addon: Addon): Promise<Journal> => {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    await lockState(join(directory, 'lock'), addon);
    return new Journal(directory);
  } catch (error) {
    if (isHeldByOther(error)) {
      throw new StartProblem('state', `state directory ${directory} is another daemon's`);
    }
    throw new StartProblem('state', `state directory ${directory}: ${(error as Error).message}`);
  }
};

/** Held until the process ends; a daemon that was unmounted a moment ago may still be at it. */
const lockState = (file: string, addon: Addon): Promise<number> =>
  awaitLock(() => addon.lockFile(file));

/**
 * Daemons mount at one place one after the other, so that of two that find it free only one mounts.
 * Resolves with what ends the turn.
 */
export const turnToMount = async (mountpoint: string, addon: Addon): Promise<() => void> => {
  const name = createHash('sha256').update(mountpoint).digest('hex').slice(0, 32);
  try {
    return await awaitLock(() => takeNamedLock(`mount-${name}`, addon));
  } catch (error) {
    if (!isHeldByOther(error)) throw error;
    throw new StartProblem('mountpoint', `another daemon is about to mount on ${mountpoint}`);
  }
};

const isHeldByOther = (error: unknown): boolean =>
  errnoOf(error) === 'EAGAIN' || errnoOf(error) === 'EWOULDBLOCK';

const awaitLock = async <Lock>(take: () => Lock): Promise<Lock> => {
  for (const limit = performance.now() + LOCK_MS; ; ) {
    try {
      return take();
    } catch (error) {
      if (!isHeldByOther(error) || performance.now() > limit) throw error;
      await sleep(LOCK_MS / 100);
    }
  }
};

const openSink = async (file: string, log: Log): Promise<FileSink> => {
  try {
    return await FileSink.open(file, (error) => log.error({ err: error }, 'audit record lost'));
  } catch (error) {
    throw new StartProblem('audit', `audit file ${file}: ${(error as Error).message}`);
  }
};

export const openAudit = async ({ auditFile }: DaemonOptions, log: Log): Promise<AuditLog> => {
  const sink = auditFile === undefined ? undefined : await openSink(auditFile, log);
  const deviceName = createDeviceName();
  return new AuditLog({ log, readCallerFacts, deviceName, now: Date.now, sink });
};
