import { parseBlacklist } from '../keys/blacklist-file.js';
import type { Certificate } from '../keys/certificate.js';
import { certificatesIn } from '../keys/certificates-in.js';
import type { ControlClient } from './control-client.js';
import { EXIT } from './exit-codes.js';
import { UserError } from './user-error.js';

/** The keyrings of one namespace of a mount. */
export interface MountKeys {
  /** `.builtin_trusted_keys`: CAs that may admit keys. */
  readonly authorities: readonly Certificate[];
  /** `.ima` */
  readonly trusted: readonly Certificate[];
  /** Entries of `.blacklist` as the kernel describes them. */
  readonly blacklist: readonly string[];
}

export function readMountKeys(client: ControlClient, namespace: string): MountKeys {
  const directory = `${namespace}/keys`;
  const blacklist = client.read(`${directory}/.blacklist`);
  const parsed = parseBlacklist(blacklist);
  if (!parsed.ok) throw unreadable(`${directory}/.blacklist`, parsed.problem);
  return {
    authorities: certificates(client, `${directory}/.builtin_trusted_keys.pem`),
    trusted: certificates(client, `${directory}/.ima.pem`),
    blacklist: blacklist.split('\n').filter((line) => line !== ''),
  };
}

function certificates(client: ControlClient, name: string): readonly Certificate[] {
  const pem = client.readBytes(name);
  if (pem.length === 0) return [];
  const found = certificatesIn(pem);
  if (found.ok) return found.value;
  throw unreadable(name, found.problem);
}

function unreadable(name: string, problem: string): UserError {
  return new UserError(EXIT.runtime, 'bad-keyring', `the daemon's ${name}: ${problem}`);
}
