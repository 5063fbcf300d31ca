/** Signatures that were made once (keys/make-keys.ts), for ECDSA never gives the same twice. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from '../helpers/project.js';

/** Certificates, in DER, and signatures.jsonl. */
export const KEYS = join(PROJECT, 'test/parity/keys/');

export interface Signed {
  readonly key: string;
  readonly algorithm: string;
  /** Which of the contents of make-keys.ts. */
  readonly content: string;
  /** Of the signature's header: 2 over the digest, 3 over struct ima_file_id. */
  readonly version: 2 | 3;
  /** security.ima in hex */
  readonly xattr: string;
}

const path = join(KEYS, 'signatures.jsonl');
const signatures: readonly Signed[] = existsSync(path)
  ? readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Signed)
  : [];

export function signatureBy(
  key: string,
  wanted: Partial<Omit<Signed, 'key' | 'xattr'>> = {},
): string {
  const { algorithm = 'sha256', content = 'text', version = 2 } = wanted;
  const found = signatures.find(
    (it) =>
      it.key === key &&
      it.algorithm === algorithm &&
      it.content === content &&
      it.version === version,
  );
  if (!found) throw new Error(`no signature by ${key} over ${content}: keys/make-keys.ts`);
  return found.xattr;
}
