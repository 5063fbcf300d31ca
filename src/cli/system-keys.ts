import { NO_KEYS, readKeysDirectory, type SystemKeys } from '../keys/keys-directory.js';
import type { LoadPublicKey } from '../keys/trusted-key.js';
import { EXIT } from './exit-codes.js';
import { UserError } from './user-error.js';

/** The command line looks at certificates, and verifies no file. */
const WITHOUT_VERIFYING: LoadPublicKey = () => ({ verify: () => false });

/** What a daemon would begin with, of keys=DIR. Throws a UserError if it would not begin. */
export function systemKeys(directory: string | undefined): SystemKeys {
  if (directory === undefined) return NO_KEYS;
  const keys = readKeysDirectory(directory, WITHOUT_VERIFYING);
  if (keys.ok) return keys.value;
  throw new UserError(EXIT.key, 'bad-key', keys.problem, [
    'keys=DIR takes *.der *.cer *.crt *.pem *.x509 and blacklist; see imafs key check',
  ]);
}
