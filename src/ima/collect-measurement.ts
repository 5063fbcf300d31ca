import { FileMoved } from '../base/file-moved.js';
import { hashAlgorithmByName } from './digest/hash-algorithms.js';
import type { AuditPort, Digest, HashAlgorithm, ImaFile } from './ports.js';

/** The file's digest, or why there is none. */
export type Collected =
  | { readonly ok: true; readonly digest: Digest }
  | { readonly ok: false; readonly cause: CollectProblem };

export type CollectProblem = 'failed' | 'failed(directio)' | 'no-verity-digest';

/** How one access wants the file to be collected. */
export interface Collecting {
  readonly algorithm: HashAlgorithm;
  /** fs-verity's digest instead of the content's. */
  readonly verity: boolean;
  /** O_DIRECT, and nothing was collected yet. */
  readonly directIo: boolean;
}

/**
 * ima_collect_measurement (ima_api.c). A failure is recorded here and only here. An open with
 * O_DIRECT cannot be hashed: what it reads later need not be what the page cache has.
 */
export async function collectMeasurement(
  audit: AuditPort,
  file: ImaFile,
  { algorithm, verity, directIo }: Collecting,
): Promise<Collected> {
  const digest = directIo ? undefined : await digestOf(file, algorithm, verity);
  if (digest) {
    return { ok: true, digest };
  }
  const cause = directIo ? 'failed(directio)' : verity ? 'no-verity-digest' : 'failed';
  const record = { type: 1800, op: 'collect_data', cause, result: 0, errno: 0 } as const;
  audit.integrity({ ...record, byLastName: true });
  return { ok: false, cause };
}

/** Undefined if it cannot be had: unreadable, or an algorithm nobody has. */
async function digestOf(
  file: ImaFile,
  algorithm: HashAlgorithm,
  verity: boolean,
): Promise<Digest | undefined> {
  try {
    const digest = verity
      ? await file.verityDigest(algorithm)
      : { algorithm, bytes: await file.digest(algorithm) };
    // A digest of the wrong size compares equal to nothing honest; too short a one to anything.
    const { digestBytes } = hashAlgorithmByName(digest.algorithm) ?? {};
    return digest.bytes.length === digestBytes ? digest : undefined;
  } catch (error) {
    if (error instanceof FileMoved) {
      throw error;
    }
    return undefined;
  }
}
