import { readFileSync } from 'node:fs';
import { errnoOf } from '../base/errno.js';
import { failure, type Result } from '../base/result.js';
import type { Certificate } from '../keys/certificate.js';
import { certificatesIn } from '../keys/certificates-in.js';
import { EXIT } from './exit-codes.js';
import { UserError } from './user-error.js';

/** A certificate of a file, or why there is none. */
export interface KeyFile {
  readonly file: string;
  readonly certificate: Result<Certificate, string>;
}

/** Each certificate of each file, in order. Throws a UserError for a file that cannot be read. */
export function readKeyFiles(files: readonly string[]): KeyFile[] {
  return files.flatMap((file): KeyFile[] => {
    const found = certificatesIn(contentOf(file));
    return found.ok
      ? found.value.map((value) => ({ file, certificate: { ok: true, value } }))
      : [{ file, certificate: failure(found.problem) }];
  });
}

function contentOf(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const code = errnoOf(error) ?? String(error);
    throw new UserError(EXIT.key, 'unreadable-key', `${file} cannot be read: ${code}`);
  }
}

/** What ends a verb that had to refuse some. */
export function demandNoneRefused(refused: number, all: number): void {
  if (refused === 0) return;
  throw new UserError(EXIT.key, 'key-refused', `${refused} of ${all} refused`);
}
