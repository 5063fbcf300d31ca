import { failure, type Result, success } from '../base/result.js';
import type { BlacklistKind } from '../ima/keyring/keyring.js';

export interface BlacklistEntry {
  readonly kind: BlacklistKind;
  readonly digest: Uint8Array;
}

/** Lines as the kernel describes keys of .blacklist, `bin:HEX` and `tbs:HEX`; `#` begins a comment. */
export function parseBlacklist(text: string): Result<readonly BlacklistEntry[], string> {
  const entries: BlacklistEntry[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const word = line.replace(/#.*/, '').trim();
    if (word === '') {
      continue;
    }
    const entry = parseBlacklistEntry(word);
    if (entry === undefined) {
      return failure(`line ${index + 1}: '${word}' is neither bin:HEX nor tbs:HEX`);
    }
    entries.push(entry);
  }
  return success(entries);
}

/** blacklist_vet_description (certs/blacklist.c), which takes lower-case digits only, an even number. */
export function parseBlacklistEntry(word: string): BlacklistEntry | undefined {
  const [, kind, hex = ''] = /^(bin|tbs):((?:[0-9a-f]{2}){1,64})$/.exec(word) ?? [];
  return kind === 'bin' || kind === 'tbs' ? { kind, digest: Buffer.from(hex, 'hex') } : undefined;
}
