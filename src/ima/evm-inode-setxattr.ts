import type { Ima } from './ima.js';
import { type ImaXattrChange, resetAppraiseFlags } from './inode-setxattr.js';
import { EVM_IMA_XATTR_DIGSIG, EVM_XATTR_PORTABLE_DIGSIG } from './xattr/decode-xattr.js';

/** A setxattr (value) or removexattr (undefined) of security.evm. */
export type EvmXattrChange = Pick<ImaXattrChange, 'node' | 'value' | 'capSysAdmin'>;

/**
 * evm_inode_setxattr and evm_inode_removexattr (evm_main.c): undefined if the change may be made, and
 * then this namespace's results for the file are void (ima_inode_setxattr, evm_revalidate_status); else
 * the errno. Signatures only: an HMAC is made by the kernel, by nobody else.
 */
export function evmInodeSetxattr(
  ima: Ima,
  { node, value, capSysAdmin }: EvmXattrChange,
): 'EPERM' | 'EINVAL' | undefined {
  // cap_inode_setxattr comes before the others.
  if (!capSysAdmin) {
    return 'EPERM';
  }
  if (value) {
    const type = value[0];
    if (type === undefined) {
      return 'EINVAL';
    }
    if (type !== EVM_IMA_XATTR_DIGSIG && type !== EVM_XATTR_PORTABLE_DIGSIG) {
      return 'EPERM';
    }
  }
  resetAppraiseFlags(ima, node);
  return undefined;
}
