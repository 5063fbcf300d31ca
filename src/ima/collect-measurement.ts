import { FileMoved } from '../base/file-moved.js';
import { hashAlgorithmByName } from './digest/hash-algorithms.js';
import type { AuditPort, Digest, HashAlgorithm, ImaFile } from './ports.js';

/** The file's digest, or why there is none. */
export type Collected =
  | { readonly ok: true; readonly digest: Digest }
  | { readonly ok: false; readonly cause: 'failed' | 'failed(directio)' };

/**
 * ima_collect_measurement (ima_api.c). A failure is recorded here and only here. An open with
 * O_DIRECT cannot be hashed: what it reads later need not be what the page cache has.
 */
export async function collectMeasurement(
  audit: AuditPort,
  file: ImaFile,
  algorithm: HashAlgorithm,
  directIo: boolean,
): Promise<Collected> {
  const bytes = directIo ? undefined : await digestOf(file, algorithm);
  if (bytes) {
    return { ok: true, digest: { algorithm, bytes } };
  }
  const cause = directIo ? 'failed(directio)' : 'failed';
  audit.integrity({ type: 1800, op: 'collect_data', cause, result: 0, errno: 0 });
  return { ok: false, cause };
}

/** Undefined if it cannot be had: unreadable, or an algorithm nobody has. */
async function digestOf(file: ImaFile, algorithm: HashAlgorithm): Promise<Uint8Array | undefined> {
  try {
    const bytes = await file.digest(algorithm);
    // A digest of the wrong size compares equal to nothing honest; too short a one to anything.
    return bytes.length === hashAlgorithmByName(algorithm)?.digestBytes ? bytes : undefined;
  } catch (error) {
    if (error instanceof FileMoved) {
      throw error;
    }
    return undefined;
  }
}
