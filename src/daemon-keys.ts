/** The part of the composition root that is about keys. */
import { type AuditLog, daemonAsCaller } from './audit/audit-log.js';
import type { Log } from './base/log.js';
import type { Addon } from './binding/addon-types.js';
import type { NamedCertificate } from './control/keyring-files.js';
import { type DaemonOptions, StartProblem } from './daemon-options.js';
import type { Ima } from './ima/ima.js';
import { Keyring } from './ima/keyring/keyring.js';
import { processBufferMeasurement } from './ima/process-buffer-measurement.js';
import { admitKey } from './keys/admit-key.js';
import { parseBlacklistEntry } from './keys/blacklist-file.js';
import { NO_KEYS, readKeysDirectory, type SystemKeys } from './keys/keys-directory.js';
import { Keyrings, type KeyringsParts, measuredKey } from './namespaces/keyrings.js';

/** Nothing of a bad directory is used; what is merely not admitted is logged, as by the kernel. */
export const openKeys = (
  { keysDirectory }: DaemonOptions,
  addon: Pick<Addon, 'publicKey'>,
  log: Log,
): SystemKeys => {
  if (keysDirectory === undefined) return NO_KEYS;
  const keys = readKeysDirectory(keysDirectory, (spki) => addon.publicKey(spki));
  if (!keys.ok) throw new StartProblem('keys', keys.problem);
  for (const unadmitted of keys.value.unadmitted) {
    log.warn({ ...unadmitted }, 'certificate not admitted to .ima');
  }
  return keys.value;
};

/** Keys that are there before anybody could add them are measured when the list is there. */
export const measureSystemKeys = async (
  { trusted }: SystemKeys,
  ima: Ima,
  { scopeName }: { readonly scopeName: number },
  audit: AuditLog,
): Promise<void> => {
  const caller = daemonAsCaller();
  const subject = { ...caller.credentials, capSetuid: true, capSetgid: true };
  for (const key of trusted) {
    const buffer = measuredKey(key);
    const event = { namespace: scopeName, path: buffer.eventName, device: undefined };
    const records = audit.forAccess({ ...event, caller, ino: undefined });
    const cause = await processBufferMeasurement(ima, records, subject, buffer);
    await records.settled();
    if (cause !== undefined) {
      throw new StartProblem('keys', `${key.description} could not be measured: ${cause}`);
    }
  }
};

/** Keyrings as namespaces begin with them: what the system blacklists later counts in all. */
export const keyringMaker = ({
  trusted,
  blacklist,
}: SystemKeys): ((owner: { readonly isSystem: boolean }) => Keyring) => {
  const system = new Keyring();
  for (const { kind, digest } of blacklist) system.addToBlacklist(kind, digest);
  return ({ isSystem }) => {
    const keyring = isSystem ? system : new Keyring(system);
    for (const key of trusted) keyring.add(key);
    return keyring;
  };
};

export const keyringsOf = (
  { authorities }: SystemKeys,
  addon: Pick<Addon, 'publicKey'>,
  parts: Pick<KeyringsParts, 'registry' | 'measurements'>,
): Keyrings =>
  new Keyrings({
    ...parts,
    admit: (content, keyring) =>
      admitKey(content, keyring, authorities, (spki) => addon.publicKey(spki)),
    parseBlacklistEntry,
  });

export const shownAuthorities = ({ authorities }: SystemKeys): NamedCertificate[] =>
  authorities.map(({ keyId, description, der }) => ({ keyId, description, certificate: der }));
