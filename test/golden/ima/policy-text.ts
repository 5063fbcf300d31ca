/**
 * What Linux 6.12.117 (IMA_READ_POLICY, IMA_WRITE_POLICY) shows of rules written to its policy file:
 * what was written, and the line read back without its newline.
 */
export const policyText: readonly (readonly [written: string, shown: string])[] = [
  [
    'measure func=FILE_CHECK mask=MAY_READ fowner=1000',
    'measure func=FILE_CHECK mask=MAY_READ fowner=1000 ',
  ],
  ['appraise fowner=1000', 'appraise fowner=1000 '],
  [
    'measure  func=FILE_CHECK   mask=^MAY_READ euid>1000 fowner<2000 gid=7 fgroup=5',
    'measure func=FILE_CHECK mask=^MAY_READ euid>1000 gid=7 fowner<2000 fgroup=5 ',
  ],
  ['measure func=PATH_CHECK', 'measure func=FILE_CHECK '],
  ['measure func=FILE_MMAP mask=MAY_EXEC', 'measure func=MMAP_CHECK mask=MAY_EXEC '],
  ['appraise fsmagic=0x01021994 fowner=71452', 'appraise fsmagic=0x1021994 fowner=71452 '],
  ['appraise func=MODULE_CHECK', 'appraise func=MODULE_CHECK '],
  [
    'appraise func=FILE_CHECK mask=MAY_EXEC fsuuid=6f6679a0-0000-0000-0000-00000000ABCD',
    'appraise func=FILE_CHECK mask=MAY_EXEC fsuuid=6f6679a0-0000-0000-0000-00000000abcd ',
  ],
  ['audit func=BPRM_CHECK uid=0', 'audit func=BPRM_CHECK uid=0 '],
  ['hash func=FILE_CHECK', 'hash func=FILE_CHECK '],
  ['dont_hash fsmagic=0x9fa0', 'dont_hash fsmagic=0x9fa0 '],
  ['dont_measure fsmagic=9fa0', 'dont_measure fsmagic=0x9fa0 '],
  ['dont_appraise func=MMAP_CHECK', 'dont_appraise func=MMAP_CHECK '],
  [
    'appraise fowner=1 digest_type=verity appraise_type=sigv3',
    'appraise fowner=1 appraise_type=sigv3 digest_type=verity ',
  ],
  ['measure digest_type=verity fowner=2', 'measure fowner=2 digest_type=verity '],
  [
    'appraise func=MODULE_CHECK appraise_type=imasig|modsig',
    'appraise func=MODULE_CHECK appraise_type=imasig|modsig ',
  ],
  [
    'appraise fowner=4 appraise_algos=sha512,sha256,sha1',
    'appraise fowner=4 appraise_algos=sha1,sha256,sha512 ',
  ],
  [
    'appraise fowner=4 appraise_algos=sha224,md5,sha384',
    'appraise fowner=4 appraise_algos=md5,sha384,sha224 ',
  ],
  [
    'appraise fowner=5 appraise_type=imasig appraise_flag=check_blacklist',
    'appraise fowner=5 appraise_type=imasig ',
  ],
  ['appraise fowner=6 permit_directio permit_directio', 'appraise fowner=6 permit_directio '],
  [
    'appraise appraise_algos=sha256 func=SETXATTR_CHECK',
    'appraise func=SETXATTR_CHECK appraise_algos=sha256 ',
  ],
  [
    'measure func=KEY_CHECK keyrings=.ima|.evm template=ima-buf pcr=12',
    'measure func=KEY_CHECK keyrings=.ima|.evm pcr=12 template=ima-buf ',
  ],
  ['measure func=CRITICAL_DATA label=a|b|c', 'measure func=CRITICAL_DATA label=a|b|c '],
  [
    'measure func=KEXEC_CMDLINE fowner=3 fsmagic=0x1 uid=4 pcr=3',
    'measure func=KEXEC_CMDLINE fsmagic=0x1 pcr=3 uid=4 fowner=3 ',
  ],
  ['measure fsmagic=0xffffffffffffffff', 'measure fsmagic=0xffffffffffffffff '],
  ['measure pcr=10 pcr=11', 'measure pcr=11 '],
];

/** Lines the same kernel refused. */
export const refusedLines: readonly string[] = [
  'measure uid=1 euid=2',
  'measure gid=1 egid=2',
  'measure fowner=1000 fowner=1000',
];

/**
 * `ima_policy=tcb` as 6.12.117 shows it, except that newer kernels give the tmpfs rule
 * func=FILE_CHECK.
 */
export const tcbText = [
  'dont_measure fsmagic=0x9fa0 ',
  'dont_measure fsmagic=0x62656572 ',
  'dont_measure fsmagic=0x64626720 ',
  'dont_measure func=FILE_CHECK fsmagic=0x1021994 ',
  'dont_measure fsmagic=0x1cd1 ',
  'dont_measure fsmagic=0x42494e4d ',
  'dont_measure fsmagic=0x73636673 ',
  'dont_measure fsmagic=0xf97cff8c ',
  'dont_measure fsmagic=0x43415d53 ',
  'dont_measure fsmagic=0x27e0eb ',
  'dont_measure fsmagic=0x63677270 ',
  'dont_measure fsmagic=0x6e736673 ',
  'dont_measure fsmagic=0xde5e81e4 ',
  'measure func=MMAP_CHECK mask=MAY_EXEC ',
  'measure func=BPRM_CHECK mask=MAY_EXEC ',
  'measure func=FILE_CHECK mask=^MAY_READ euid=0 ',
  'measure func=FILE_CHECK mask=^MAY_READ uid=0 ',
  'measure func=MODULE_CHECK ',
  'measure func=FIRMWARE_CHECK ',
  'measure func=POLICY_CHECK ',
];

/** `ima_policy=appraise_tcb`, without the rule that demands a signed policy. */
export const appraiseTcbText = [
  'dont_appraise fsmagic=0x9fa0 ',
  'dont_appraise fsmagic=0x62656572 ',
  'dont_appraise fsmagic=0x64626720 ',
  'dont_appraise fsmagic=0x1021994 ',
  'dont_appraise fsmagic=0x858458f6 ',
  'dont_appraise fsmagic=0x1cd1 ',
  'dont_appraise fsmagic=0x42494e4d ',
  'dont_appraise fsmagic=0x73636673 ',
  'dont_appraise fsmagic=0xf97cff8c ',
  'dont_appraise fsmagic=0x43415d53 ',
  'dont_appraise fsmagic=0x6e736673 ',
  'dont_appraise fsmagic=0xde5e81e4 ',
  'dont_appraise fsmagic=0x27e0eb ',
  'dont_appraise fsmagic=0x63677270 ',
  'appraise func=POLICY_CHECK appraise_type=imasig ',
  'appraise fowner=0 ',
];
