import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { IMAFS_TYPE, readMountTable } from './mount-table.js';

const POLL_MS = 20;
/** A daemon without mounts ends within this time, or it is still mounted somewhere. */
const PROMPT_END_MS = 1000;
/** What ends in order (a slow TPM takes its last entry, say) does so long before; a stopped process never. */
const LIMIT_MS = 30_000;

/** Waits for the end of a daemon whose mount is gone here; undefined then, or why it is not awaited. */
export async function awaitEnd(pid: number, device: string): Promise<string | undefined> {
  for (let waitedMs = 0; isRunning(pid); waitedMs += POLL_MS) {
    if (waitedMs > 0 && waitedMs % PROMPT_END_MS === 0 && isMountedAnywhere(device)) {
      return `another mount namespace still has this mount: daemon ${pid} runs on`;
    }
    if (waitedMs >= LIMIT_MS) return `daemon ${pid} has not ended yet`;
    await sleep(POLL_MS);
  }
  return undefined;
}

/** A zombie, whose parent is slow to notice, has ended. */
function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
}

/** Looks at one process of each mount namespace. */
function isMountedAnywhere(device: string): boolean {
  const seen = new Set<string>();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const namespace = readlinkSync(`/proc/${pid}/ns/mnt`);
      if (seen.has(namespace)) continue;
      seen.add(namespace);
      if (readMountTable(pid).some((entry) => entry.device === device && entry.type === IMAFS_TYPE))
        return true;
    } catch {
      // The process ended or may not be looked at; another one shows the same namespace, if any.
    }
  }
  return false;
}
