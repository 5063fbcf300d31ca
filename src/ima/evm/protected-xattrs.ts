/** Attributes that EVM protects, in its order (evm_config_default_xattrnames, evm_main.c). */
export const PROTECTED_XATTRS: readonly string[] = [
  'security.selinux',
  'security.SMACK64',
  'security.SMACK64EXEC',
  'security.SMACK64TRANSMUTE',
  'security.SMACK64MMAP',
  'security.apparmor',
  'security.ima',
  'security.capability',
];
