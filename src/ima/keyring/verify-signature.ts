import { fileIdHash } from '../digest/file-id-hash.js';
import type { Digest } from '../ports.js';
import { decodeSignature } from '../xattr/decode-signature.js';
import type { Keyring } from './keyring.js';

/**
 * What became of it: `no-key` (ENOKEY), `unsupported` (EOPNOTSUPP: a version nobody knows), or `invalid`
 * for everything else that is wrong with it.
 */
export type SignatureVerdict = 'valid' | 'invalid' | 'no-key' | 'unsupported';

/** Versions with a key of type asymmetric; 1 is of a format that no tool writes any more. */
const DIGSIG_V1 = 1;
const DIGSIG_V2 = 2;
const DIGSIG_V3 = 3;

/**
 * integrity_digsig_verify (digsig.c) and asymmetric_verify: whether the whole value of an attribute
 * (type, version, header, signature) is a signature over this digest by a key of the keyring. Version 3
 * is over the digest's file id.
 */
export function verifySignature(
  keyring: Keyring,
  value: Uint8Array,
  digest: Digest,
): SignatureVerdict {
  const [type, version] = value;
  if (type === undefined || version === undefined || version === DIGSIG_V1) {
    return 'invalid';
  }
  if (version !== DIGSIG_V2 && version !== DIGSIG_V3) {
    return 'unsupported';
  }
  const signature = decodeSignature(value);
  const signed = version === DIGSIG_V3 ? fileIdHash(type, digest) : digest;
  if (!signature || !signed || signature.algorithm !== digest.algorithm) {
    return 'invalid';
  }
  const key = keyring.find(signature.keyId);
  if (!key) {
    return 'no-key';
  }
  return key.verify(signed, signature.bytes) ? 'valid' : 'invalid';
}
