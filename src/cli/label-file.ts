import { getAttributeSync, removeAttributeSync, setAttributeSync } from 'fs-xattr';

import { errnoOf } from '../base/errno.js';
import { descriptorPath } from './walk-files.js';

const SECURITY_IMA = 'security.ima';

/** security.ima of what `fd` (O_PATH will do) holds, undefined if it has none. */
export function readLabel(fd: number): Buffer | undefined {
  return readAttribute(fd, SECURITY_IMA);
}

export function readAttribute(fd: number, name: string): Buffer | undefined {
  return unlessMissing(() => getAttributeSync(descriptorPath(fd), name));
}

export function setLabel(fd: number, label: Uint8Array): void {
  setAttributeSync(descriptorPath(fd), SECURITY_IMA, Buffer.from(label));
}

/** False if there was none. */
export function removeLabel(fd: number): boolean {
  const removed = unlessMissing(() => {
    removeAttributeSync(descriptorPath(fd), SECURITY_IMA);
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
