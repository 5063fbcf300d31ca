import { dataHash } from '../digest/data-hash.js';
import type { Keyring } from '../keyring/keyring.js';
import { verifySignature } from '../keyring/verify-signature.js';
import type { ImaFile, IntegrityStatus } from '../ports.js';
import { decodeSignature, SIGNATURE_HEADER_BYTES } from '../xattr/decode-signature.js';
import { EVM_XATTR_PORTABLE_DIGSIG } from '../xattr/decode-xattr.js';
import { PROTECTED_XATTRS } from './protected-xattrs.js';

/** unsigned long ino; u32 generation, uid, gid; u16 mode */
const H_MISC_BYTES = 24;

/** What of a file is looked at. */
export type EvmFile = Pick<ImaFile, 'xattr' | 'imaXattr' | 'object' | 'mode'>;

/**
 * evm_verifyxattr (evm_main.c) for security.ima, as far as portable signatures go: they say by themselves
 * that they are to be verified. HMACs and other signatures belong to one machine's EVM: UNKNOWN, as where
 * no EVM key is loaded. They are verified with the keys of .ima.
 */
export function evmVerifyXattr(file: EvmFile, keyring: Keyring): IntegrityStatus {
  const value = file.xattr('security.evm');
  if (value?.[0] !== EVM_XATTR_PORTABLE_DIGSIG) {
    return 'UNKNOWN';
  }
  if (value.length <= SIGNATURE_HEADER_BYTES) {
    return 'FAIL';
  }
  const algorithm = decodeSignature(value)?.algorithm;
  // A portable signature without security.ima would vouch for no content.
  const isWhole = algorithm !== undefined && file.imaXattr !== undefined;
  const bytes = isWhole ? dataHash(algorithm, protectedMetadata(file)) : undefined;
  const isValid =
    isWhole && bytes && verifySignature(keyring, value, { algorithm, bytes }) === 'valid';
  return isValid ? 'PASS_IMMUTABLE' : 'FAIL_IMMUTABLE';
}

/**
 * evm_calc_hmac_or_hash: the protected attributes one after the other, then struct h_misc (inode number
 * and generation, left zero in portable signatures, uid, gid, mode, padding), as on 64-bit machines.
 */
function protectedMetadata(file: EvmFile): Uint8Array {
  const { object, mode, imaXattr } = file;
  const values = PROTECTED_XATTRS.flatMap((name) => {
    const value = name === 'security.ima' ? imaXattr : file.xattr(name);
    return value ? [value] : [];
  });
  const misc = Buffer.alloc(H_MISC_BYTES);
  misc.writeUInt32LE(object.uid, 12);
  misc.writeUInt32LE(object.gid, 16);
  misc.writeUInt16LE(mode, 20);
  return Buffer.concat([...values, misc]);
}
