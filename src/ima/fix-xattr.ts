import type { Digest, ImaFile } from './ports.js';
import { isSignature } from './xattr/decode-xattr.js';
import { encodeXattr } from './xattr/encode-xattr.js';

/**
 * ima_fix_xattr as fix mode calls it: puts the digest into security.ima unless a signature is
 * there. False where it could not be written, and then nothing has changed.
 */
export async function fixXattr(file: ImaFile, digest: Digest): Promise<boolean> {
  if (isSignature(file.imaXattr)) {
    return false;
  }
  try {
    return await file.writeImaXattr(encodeXattr(digest));
  } catch {
    return false;
  }
}
