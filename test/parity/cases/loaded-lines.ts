/** Rules that are loaded and read back. */
import type { Case } from '../case.js';
import { escaped, IDS, shown } from './policy-words.js';

/** Rules that the scene's first ones keep from doing anything. */
const RULES = [
  ...['dont_measure', 'dont_appraise', 'dont_hash', 'hash', 'measure', 'appraise'].flatMap(
    (action) =>
      ['', ' func=FILE_CHECK', ' func=PATH_CHECK', ' func=FILE_MMAP'].map((func) => action + func),
  ),
  ...IDS.flatMap((id) =>
    ['=0', '>5', '<4294967294', '=2147483648'].map((to) => `measure ${id}${to}`),
  ),
  ...['MAY_READ', 'MAY_WRITE', 'MAY_APPEND', 'MAY_EXEC'].flatMap((bit) => [
    `measure mask=${bit}`,
    `measure mask=^${bit}`,
  ]),
  'measure fsmagic=01021994',
  'measure fsmagic=0xFFFFFFFF',
  'measure fsname=ext4',
  'measure fsuuid=6F6679A0-0000-0000-0000-00000000ABCD',
  'measure pcr=11',
  'measure pcr=0',
  ...['ima', 'ima-ng', 'ima-sig', 'ima-buf', 'evm-sig'].map((it) => `measure template=${it}`),
  'measure uid=1 gid=2 fowner=3 fgroup=4 fsmagic=5 func=FILE_CHECK mask=MAY_READ pcr=12 template=ima-sig',
  'measure euid=1 egid=2',
  'measure func=KEY_CHECK keyrings=.ima|.evm',
  'measure func=KEY_CHECK keyrings=.ima uid=0 pcr=12 template=ima-buf',
  'measure func=CRITICAL_DATA label=a|b',
  'measure func=CRITICAL_DATA',
  'measure func=KEXEC_CMDLINE',
  'measure permit_directio',
  'measure digest_type=verity template=ima-sigv2',
  'appraise appraise_type=imasig',
  'appraise func=MODULE_CHECK appraise_type=imasig|modsig',
  'appraise digest_type=verity appraise_type=sigv3',
  'appraise appraise_algos=sha512,sha256,md5',
  'appraise func=FILE_CHECK appraise_algos=sha1 appraise_type=imasig permit_directio',
  'appraise appraise_flag=check_blacklist appraise_type=imasig|modsig func=KEXEC_KERNEL_CHECK',
  'appraise func=SETXATTR_CHECK appraise_algos=sha3-256,sha256',
  'audit func=BPRM_CHECK fowner=5',
  'audit func=MMAP_CHECK_REQPROT fowner=5',
  'measure  \t func=FILE_CHECK ',
  'func=BPRM_CHECK measure',
];

export const LOADED: readonly Case[] = [...new Set(RULES)].map(
  (line): Case => ({
    name: `loaded ${shown(line)}`,
    line,
    steps: [`open! w $IMA/policy , write ${escaped(line)}%0a , close`, '! tail -n 1 $IMA/policy'],
  }),
);
