/** Which mount namespace is the system's (DESIGN section 4, System namespace). */

import { failure, type Result, success } from '../base/result.js';
import type { Addon } from '../binding/addon-types.js';
import { namespacePlace } from './namespace-ids.js';

export interface SystemNamespace {
  readonly scope: bigint;
  readonly scopeName: number;
}

/**
 * The daemon's own, or the one that `systemNs` names. If PID 1's can be read and is another one, that
 * has to be said: a daemon in a hardened unit or a container would take its own for the system's. The
 * problem is a sentence.
 */
export const findSystemNamespace = (
  addon: Pick<Addon, 'namespaceOf' | 'namespaceAt'>,
  systemNs: string | undefined,
): Result<SystemNamespace, string> => {
  const own = addon.namespaceOf('self');
  if (systemNs === 'self') return success(own);
  if (systemNs !== undefined) return atPath(addon, systemNs);
  const first = ofFirstProcess(addon);
  if (first === undefined || first.scope === own.scope) return success(own);
  return failure(
    `this process is in mount namespace ${own.scopeName} and PID 1 in ${first.scopeName}: ` +
      'say which one is the system with -o system_ns=self or -o system_ns=/proc/1/ns/mnt',
  );
};

/** Where it is found, for as long as the daemon holds it. */
export const systemPlace = (systemNs: string | undefined): string =>
  systemNs === undefined || systemNs === 'self' ? namespacePlace('self') : systemNs;

const atPath = (
  addon: Pick<Addon, 'namespaceAt'>,
  path: string,
): Result<SystemNamespace, string> => {
  try {
    return success(addon.namespaceAt(path));
  } catch (error) {
    return failure(`system_ns=${path} is no mount namespace: ${(error as Error).message}`);
  }
};

/** Undefined where it cannot be read: on some hosts nobody can, root or not. */
const ofFirstProcess = (addon: Pick<Addon, 'namespaceOf'>): SystemNamespace | undefined => {
  try {
    return addon.namespaceOf(1);
  } catch {
    return undefined;
  }
};
