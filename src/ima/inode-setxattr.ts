import type { Ima } from './ima.js';
import type { AuditPort, HashAlgorithm } from './ports.js';
import { hashAlgorithmOfXattr } from './xattr/decode-xattr.js';

/** IMA_XATTR_LAST (integrity.h): the first type byte the kernel does not know. */
const IMA_XATTR_LAST = 0x07;

/** A setxattr (value) or removexattr (undefined) of security.ima. */
export interface ImaXattrChange {
  readonly node: number;
  readonly value: Uint8Array | undefined;
  readonly capSysAdmin: boolean;
  /** Whether somebody can compute this algorithm (crypto_has_alg). */
  readonly isAvailable: (algorithm: HashAlgorithm) => boolean;
}

/**
 * ima_inode_setxattr and ima_inode_removexattr (ima_appraise.c): undefined if the change may be
 * made, and then this namespace's results for the file are void; else the errno.
 */
export function inodeSetxattr(
  ima: Ima,
  audit: AuditPort,
  change: ImaXattrChange,
): 'EPERM' | 'EINVAL' | 'EACCES' | undefined {
  if (!change.capSysAdmin) {
    return 'EPERM';
  }
  if (change.value) {
    const type = change.value[0];
    if (type === undefined || type >= IMA_XATTR_LAST) {
      return 'EINVAL';
    }
    const cause = validateHashAlgorithm(ima, change.value, change.isAvailable);
    if (cause !== undefined) {
      audit.integrity({ type: 1800, op: 'set_data', cause, result: 0, errno: 0 });
      return 'EACCES';
    }
  }
  resetAppraiseFlags(ima, change.node);
  return undefined;
}

/** validate_hash_algo: the cause for which this value may not be set. */
export function validateHashAlgorithm(
  { policy: { setxattrAlgorithms: allowed }, hashAlgorithm }: Ima,
  value: Uint8Array,
  isAvailable: ImaXattrChange['isAvailable'],
): 'denied-hash-algorithm' | 'unavailable-hash-algorithm' | undefined {
  const algorithm = hashAlgorithmOfXattr(value, hashAlgorithm);
  if (allowed) {
    return allowed.includes(algorithm) ? undefined : 'denied-hash-algorithm';
  }
  const isKnown = algorithm === hashAlgorithm || isAvailable(algorithm);
  return isKnown ? undefined : 'unavailable-hash-algorithm';
}

/** ima_reset_appraise_flags: whatever was decided about the file is void in this namespace. */
export function resetAppraiseFlags(ima: Ima, node: number): void {
  ima.iints.find(node)?.reset(-1, -1);
}
