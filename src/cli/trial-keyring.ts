import { Keyring } from '../ima/keyring/keyring.js';
import { parseBlacklistEntry } from '../keys/blacklist-file.js';
import { receivedKey } from '../keys/sent-key.js';
import type { GivenOptions } from './command.js';
import type { ControlClient } from './control-client.js';
import { liveMount } from './live-mount.js';
import { type MountKeys, readMountKeys } from './mount-keys.js';
import type { Output } from './output.js';
import { systemKeys } from './system-keys.js';
import { UserError } from './user-error.js';

/**
 * The keys that a policy is tried with: those of `--keys`, else of the mount that the file lies on.
 * Undefined: nobody said.
 */
export async function trialKeyring(
  path: string,
  options: GivenOptions,
  output: Output,
): Promise<Keyring | undefined> {
  const directory = options.text('keys');
  if (directory !== undefined) return keyringOf(directory, output);
  const live = await liveMount(path, options.text('control'));
  const keys = live && mountKeys(live.client);
  if (keys === undefined) return undefined;
  const keyring = new Keyring();
  for (const { keyId, description, der } of keys.trusted) {
    if (keyId !== undefined) keyring.add(receivedKey({ keyId, description, certificate: der }));
  }
  for (const word of keys.blacklist) {
    const entry = parseBlacklistEntry(word);
    if (entry !== undefined) keyring.addToBlacklist(entry.kind, entry.digest);
  }
  return keyring;
}

/** Only root of the namespace may look. */
function mountKeys(client: ControlClient): MountKeys | undefined {
  try {
    return readMountKeys(client, 'self');
  } catch (error) {
    if (error instanceof UserError && error.code === 'not-allowed') return undefined;
    throw error;
  }
}

/** Those a mount with keys=DIR would begin with. */
function keyringOf(directory: string, output: Output): Keyring {
  const { trusted, blacklist, unadmitted } = systemKeys(directory);
  for (const { file, description, reasons } of unadmitted) {
    output.note(`imafs: ${file}: ${description}: not trusted: ${reasons.join('; ')}`);
  }
  const keyring = new Keyring();
  for (const key of trusted) keyring.add(receivedKey(key));
  for (const { kind, digest } of blacklist) keyring.addToBlacklist(kind, digest);
  return keyring;
}
