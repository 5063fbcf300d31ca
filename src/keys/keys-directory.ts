/**
 * The directory of keys=DIR, which is to a mount what the certificates built into it are to a kernel:
 * CAs are the system keyring, which vouches for other keys; the rest, if so vouched for, is `.ima`.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { errnoOf } from '../base/errno.js';
import { failure, type Result, success } from '../base/result.js';
import { Keyring, type TrustedKey } from '../ima/keyring/keyring.js';
import { objectionsTo, objectionsToKey, type Trust } from './admit.js';
import { type BlacklistEntry, parseBlacklist } from './blacklist-file.js';
import type { Certificate } from './certificate.js';
import { certificatesIn } from './certificates-in.js';
import { type LoadPublicKey, trustedKey } from './trusted-key.js';

/** A certificate of a file that is trusted for nothing, and why. */
export interface Unadmitted {
  readonly file: string;
  readonly description: string;
  readonly reasons: readonly string[];
}

/** What a mount begins with. */
export interface SystemKeys {
  /** CAs that may admit keys; none: any key may be added. */
  readonly authorities: readonly Certificate[];
  /** What `.ima` of every namespace begins with. */
  readonly trusted: readonly TrustedKey[];
  /** Counts in every namespace. */
  readonly blacklist: readonly BlacklistEntry[];
  readonly unadmitted: readonly Unadmitted[];
}

const EXTENSIONS = ['.der', '.cer', '.crt', '.pem', '.x509'];
const BLACKLIST_FILE = 'blacklist';
const FILE_BYTES_MAX = 1024 * 1024;

export const NO_KEYS: SystemKeys = {
  authorities: [],
  trusted: [],
  blacklist: [],
  unadmitted: [],
};

interface Found {
  readonly file: string;
  readonly certificate: Certificate;
}

/** The problem is a sentence that names the file. */
export function readKeysDirectory(
  directory: string,
  loadPublicKey: LoadPublicKey,
): Result<SystemKeys, string> {
  const names = listed(directory);
  if (!names.ok) {
    return names;
  }
  const blacklist: BlacklistEntry[] = [];
  const found: Found[] = [];
  for (const name of names.value) {
    const file = join(directory, name);
    const problem =
      name === BLACKLIST_FILE ? addBlacklist(file, blacklist) : addCertificates(file, found);
    if (problem !== undefined) {
      return failure(`${file}: ${problem}`);
    }
  }
  const keyring = new Keyring();
  for (const { kind, digest } of blacklist) {
    keyring.addToBlacklist(kind, digest);
  }
  return success({ ...sorted(found, keyring, loadPublicKey), blacklist });
}

function listed(directory: string): Result<readonly string[], string> {
  try {
    const names = readdirSync(directory).filter(
      (name) => name === BLACKLIST_FILE || EXTENSIONS.includes(extname(name).toLowerCase()),
    );
    // Which of two keys with one id counts must not depend on the file system.
    return success(names.sort());
  } catch (error) {
    return failure(`${directory} cannot be read: ${errnoOf(error) ?? String(error)}`);
  }
}

function addBlacklist(file: string, blacklist: BlacklistEntry[]): string | undefined {
  const content = contentOf(file);
  const parsed = content.ok ? parseBlacklist(content.value.toString('latin1')) : content;
  if (!parsed.ok) {
    return parsed.problem;
  }
  blacklist.push(...parsed.value);
  return undefined;
}

function addCertificates(file: string, found: Found[]): string | undefined {
  const content = contentOf(file);
  const parsed = content.ok ? certificatesIn(content.value) : content;
  if (!parsed.ok) {
    return parsed.problem;
  }
  found.push(...parsed.value.map((certificate) => ({ file, certificate })));
  return undefined;
}

function contentOf(file: string): Result<Buffer, string> {
  try {
    const facts = statSync(file);
    if (!facts.isFile()) {
      return failure('not a regular file');
    }
    return facts.size > FILE_BYTES_MAX
      ? failure(`longer than ${FILE_BYTES_MAX} bytes`)
      : success(readFileSync(file));
  } catch (error) {
    return failure(`cannot be read: ${errnoOf(error) ?? String(error)}`);
  }
}

/** What each certificate is trusted for. */
function sorted(
  found: readonly Found[],
  keyring: Keyring,
  loadPublicKey: LoadPublicKey,
): Omit<SystemKeys, 'blacklist'> {
  const isBlacklisted: Trust['isBlacklisted'] = (kind, digest) =>
    keyring.isBlacklisted(kind, digest);
  const unrestricted: Trust = { authorities: [], isBlacklisted };
  const mayAdmit = ({ certificate }: Found) =>
    isAuthority(certificate) &&
    // A CA needs no key id (ENOKEY): what it signed may name it by its subject.
    objectionsToKey(certificate, unrestricted).every(({ errno }) => errno === 'ENOKEY');
  const authorities = found.filter(mayAdmit).map(({ certificate }) => certificate);
  const trusted: TrustedKey[] = [];
  const unadmitted: Unadmitted[] = [];
  for (const { file, certificate } of found) {
    const isOwnRoot = isAuthority(certificate);
    if (isOwnRoot && certificate.keyUsage?.digitalSignature === false) {
      continue;
    }
    const trust = isOwnRoot ? unrestricted : { authorities, isBlacklisted };
    const reasons = objectionsTo(certificate, trust).map(({ reason }) => reason);
    if (reasons.length === 0) {
      trusted.push(trustedKey(certificate, loadPublicKey));
    } else {
      unadmitted.push({ file, description: certificate.description, reasons });
    }
  }
  return { authorities, trusted, unadmitted };
}

/** RFC 5280 section 4.2.1.3: a key usage, where it is there, must name the signing of certificates. */
function isAuthority({ isAuthority: isCa, keyUsage }: Certificate): boolean {
  return isCa && keyUsage?.keyCertSign !== false;
}
