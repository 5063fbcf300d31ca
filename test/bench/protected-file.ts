import { createHash } from 'node:crypto';
import { chownSync, writeFileSync } from 'node:fs';

import { setAttributeSync } from 'fs-xattr';

/** Whose files the policies of the bench are about. */
export const OWNER = 71452;

/** Makes a file of that owner with a right label. */
export function writeProtected(path: string, content: string | Uint8Array): void {
  writeFileSync(path, content);
  protect(path, createHash('sha256').update(content).digest());
}

export function protect(path: string, sha256: Buffer): void {
  chownSync(path, OWNER, OWNER);
  setAttributeSync(path, 'security.ima', Buffer.concat([Buffer.from([4, 4]), sha256]));
}
