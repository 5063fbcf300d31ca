import { createHash } from 'node:crypto';
import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

import { getAttribute, removeAttribute, setAttribute } from 'fs-xattr';

import { errnoOf } from '../base/errno.js';
import { descriptorPath } from './walk-files.js';

export const SECURITY_IMA = 'security.ima';

const CHUNK_BYTES = 1024 * 1024;

/** The file's content changed while it was hashed: no label was set. */
export class FileChanged extends Error {}

/** security.ima of what `fd` (O_PATH will do) holds, undefined if it has none. */
export async function readLabel(fd: number): Promise<Buffer | undefined> {
  try {
    return await getAttribute(descriptorPath(fd), SECURITY_IMA);
  } catch (error) {
    if (errnoOf(error) === 'ENODATA') return undefined;
    throw error;
  }
}

/** Removes security.ima; false if there was none. */
export async function clearLabel(fd: number): Promise<boolean> {
  try {
    await removeAttribute(descriptorPath(fd), SECURITY_IMA);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENODATA') return false;
    throw error;
  }
}

/**
 * Hashes the file that `fd` (O_PATH) holds and sets what `encode` makes of the digest, if size, mtime
 * and ctime are still those from before hashing. Resolves with false if that label was there already.
 * Rejects with FileChanged or a system error.
 */
export async function hashAndLabel(
  fd: number,
  opensslAlgorithm: string,
  encode: (digest: Buffer) => Buffer,
  onBytes: (bytes: number) => void,
): Promise<{ readonly digest: Buffer; readonly isNew: boolean }> {
  const handle = await open(descriptorPath(fd), constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const before = await handle.stat({ bigint: true });
    const digest = await hashContent(handle, opensslAlgorithm, onBytes);
    const label = encode(digest);
    if ((await readLabel(fd))?.equals(label) === true) return { digest, isNew: false };
    if (!isSameVersion(before, await handle.stat({ bigint: true }))) throw new FileChanged();
    await setAttribute(descriptorPath(fd), SECURITY_IMA, label);
    return { digest, isNew: true };
  } finally {
    await handle.close();
  }
}

async function hashContent(
  handle: FileHandle,
  opensslAlgorithm: string,
  onBytes: (bytes: number) => void,
): Promise<Buffer> {
  const hash = createHash(opensslAlgorithm);
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  for (let position = 0; ; ) {
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, position);
    if (bytesRead === 0) return hash.digest();
    hash.update(chunk.subarray(0, bytesRead));
    position += bytesRead;
    onBytes(bytesRead);
  }
}

function isSameVersion(left: BigIntStats, right: BigIntStats): boolean {
  return (
    left.size === right.size && left.mtimeNs === right.mtimeNs && left.ctimeNs === right.ctimeNs
  );
}
