import { Keyring } from '../ima/keyring/keyring.js';
import { parseBlacklistEntry } from '../keys/blacklist-file.js';
import { readKeysDirectory } from '../keys/keys-directory.js';
import { loadPublicKey } from '../keys/sent-key.js';
import { trustedKey } from '../keys/trusted-key.js';
import type { GivenOptions } from './command.js';
import type { ControlClient } from './control-client.js';
import { EXIT } from './exit-codes.js';
import { liveMount } from './live-mount.js';
import { type MountKeys, readMountKeys } from './mount-keys.js';
import type { Output } from './output.js';
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
  if (live === undefined) return undefined;
  const keys = mountKeys(live.client);
  if (keys === undefined) return undefined;
  const { trusted, blacklist } = keys;
  const keyring = new Keyring();
  for (const certificate of trusted) {
    keyring.add(trustedKey(certificate, loadPublicKey));
  }
  for (const word of blacklist) {
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
  const keys = readKeysDirectory(directory, loadPublicKey);
  if (!keys.ok) throw new UserError(EXIT.key, 'bad-key', keys.problem);
  const { trusted, blacklist, unadmitted } = keys.value;
  for (const { file, description, reasons } of unadmitted) {
    output.note(`imafs: ${file}: ${description}: not trusted: ${reasons.join('; ')}`);
  }
  const keyring = new Keyring();
  for (const key of trusted) keyring.add(key);
  for (const { kind, digest } of blacklist) keyring.addToBlacklist(kind, digest);
  return keyring;
}
