import { getAttributeSync, removeAttributeSync } from 'fs-xattr';

import { errnoOf } from '../base/errno.js';
import { descriptorPath } from './walk-files.js';

export const SECURITY_IMA = 'security.ima';

/** An attribute of what `fd` (O_PATH will do) holds, undefined if it has none. */
export function readXattr(fd: number, name: string): Buffer | undefined {
  return unlessMissing(() => getAttributeSync(descriptorPath(fd), name));
}

/** False if there was none. */
export function removeXattr(fd: number, name: string): boolean {
  const removed = unlessMissing(() => {
    removeAttributeSync(descriptorPath(fd), name);
    return true;
  });
  return removed === true;
}

/** Without a stack, which takes longer to make than the attribute to read, and is thrown away. */
function unlessMissing<Value>(access: () => Value): Value | undefined {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return access();
  } catch (error) {
    if (errnoOf(error) === 'ENODATA') return undefined;
    throw error;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}
