/**
 * Lines of policies: what writing each of them gives, and what the audit log says of it. No line takes
 * effect, for a bad one, the case's mark, follows it on the same open. The second scene loads some, and reads them back.
 */
import type { Case, Scene } from '../case.js';

const ACTIONS = [
  'measure',
  'dont_measure',
  'appraise',
  'dont_appraise',
  'audit',
  'dont_audit',
  'hash',
  'dont_hash',
];

/** Names until 3.6 and 3.10. */
const OLD_FUNCS = ['PATH_CHECK', 'FILE_MMAP'];

const FUNCS = [
  'FILE_CHECK',
  'MMAP_CHECK',
  'MMAP_CHECK_REQPROT',
  'BPRM_CHECK',
  'CREDS_CHECK',
  'MODULE_CHECK',
  'FIRMWARE_CHECK',
  'KEXEC_KERNEL_CHECK',
  'KEXEC_INITRAMFS_CHECK',
  'KEXEC_CMDLINE',
  'POLICY_CHECK',
  'KEY_CHECK',
  'CRITICAL_DATA',
  'SETXATTR_CHECK',
];

const OPTIONS = [
  'mask=MAY_READ',
  'fsmagic=0xef53',
  'fsname=ext4',
  'fsuuid=6f6679a0-0000-0000-0000-00000000abcd',
  'uid=1',
  'euid=1',
  'gid=1',
  'egid=1',
  'fowner=1',
  'fgroup=1',
  'pcr=11',
  'template=ima-sig',
  'appraise_type=imasig',
  'appraise_type=imasig|modsig',
  'digest_type=verity',
  'digest_type=verity appraise_type=sigv3',
  'appraise_flag=check_blacklist',
  'appraise_algos=sha256',
  'permit_directio',
  'keyrings=.ima',
  'label=x',
];

const matrix = ACTIONS.flatMap((action) =>
  ['', ...OLD_FUNCS, ...FUNCS].map((func) => `${action}${func && ` func=${func}`}`),
);

const options = ['measure', 'appraise'].flatMap((action) =>
  ['', ...FUNCS].flatMap((func) =>
    OPTIONS.map((option) => `${action}${func && ` func=${func}`} ${option}`),
  ),
);

const others = ['dont_measure', 'dont_appraise', 'audit', 'hash', 'dont_hash'].flatMap((action) =>
  OPTIONS.map((option) => `${action} ${option}`),
);

const IDS = ['uid', 'euid', 'gid', 'egid', 'fowner', 'fgroup'];

const numbers = IDS.flatMap((id) =>
  ['=', '>', '<'].flatMap((sign) =>
    ['0', '4294967294', '4294967295', '4294967296', 'abc', ''].map(
      (value) => `measure ${id}${sign}${value}`,
    ),
  ),
);

const oddNumbers = [
  '+5',
  '-1',
  '-0',
  '0x10',
  '010',
  '5x',
  '5.0',
  '18446744073709551615',
  '18446744073709551616',
  '4294967300',
  '=5',
].flatMap((value) => ['uid', 'fowner', 'pcr', 'fsmagic'].map((id) => `measure ${id}=${value}`));

const twice = [
  ...OPTIONS.filter((option) => !option.includes(' ')),
  'func=FILE_CHECK',
  'measure',
].flatMap((option) =>
  option.startsWith('appraise') || option.startsWith('digest')
    ? [`appraise ${option} ${option}`]
    : [`measure ${option} ${option}`],
);

const pairs = IDS.flatMap((first) => IDS.map((second) => `measure ${first}=1 ${second}>2`));

const masks = [
  'MAY_READ',
  'MAY_WRITE',
  'MAY_APPEND',
  'MAY_EXEC',
  'MAY_ACCESS',
  'may_read',
  '',
].flatMap((bit) => ['', '^', '^^', '!'].map((sign) => `measure mask=${sign}${bit}`));

const magics = [
  '0',
  '0x',
  '0X1f',
  'ffffffff',
  '100000000',
  '0xffffffffffffffff',
  '0x10000000000000000',
  'g',
].map((magic) => `measure fsmagic=${magic}`);

const uuids = [
  '00000000-0000-0000-0000-000000000000',
  '6F6679A0-0000-0000-0000-00000000ABCD',
  '6f6679a0-0000-0000-0000-00000000abc',
  '6f6679a0-0000-0000-0000-00000000abcde',
  '6f6679a0000000000000000000000000abcd',
  '6f6679a0-0000-0000-0000-00000000abcd-',
  'g0000000-0000-0000-0000-000000000000',
  '',
].map((uuid) => `measure fsuuid=${uuid}`);

const templates = [
  'ima',
  'ima-ng',
  'ima-sig',
  'ima-ngv2',
  'ima-sigv2',
  'ima-buf',
  'ima-modsig',
  'evm-sig',
  'd-ng|n-ng',
  'd|n',
  'IMA',
  '',
].flatMap((template) => [`measure template=${template}`, `template=${template} measure`]);

const types = [
  'imasig',
  'imasig|modsig',
  'modsig',
  'modsig|imasig',
  'sigv3',
  'imasig|sigv3',
  'IMASIG',
  '',
].flatMap((type) => [
  `appraise appraise_type=${type}`,
  `appraise func=MODULE_CHECK appraise_type=${type}`,
  `appraise digest_type=verity appraise_type=${type}`,
  `appraise appraise_type=${type} digest_type=verity`,
]);

const algorithms = [
  'md4',
  'md5',
  'sha1',
  'rmd160',
  'sha256',
  'sha384',
  'sha512',
  'sha224',
  'wp512',
  'sm3',
  'streebog256',
  'sha3-256',
  'sha256,sha512',
  'sha256,',
  ',sha256',
  ',',
  '',
  'sha256,sha256',
  'sha256,bogus',
  'SHA256',
  'sha256|sha512',
].flatMap((list) => [
  `appraise appraise_algos=${list}`,
  `appraise func=SETXATTR_CHECK appraise_algos=${list}`,
]);

const keyrings = [
  '.ima',
  '.ima|.evm',
  '_ima',
  '.builtin_trusted_keys',
  '|',
  '.ima|',
  '|.ima',
  '',
  'a|b|c',
].flatMap((list) => [
  `measure func=KEY_CHECK keyrings=${list}`,
  `measure func=CRITICAL_DATA label=${list}`,
]);

const verity = [
  'measure digest_type=verity',
  'measure digest_type=verity template=ima-ng',
  'measure digest_type=verity template=ima-ngv2',
  'measure digest_type=verity template=ima-sigv2',
  'measure digest_type=ima',
  'appraise digest_type=verity',
  'audit digest_type=verity',
  'hash digest_type=verity',
  'measure digest_type=verity func=MODULE_CHECK',
];

const lsm = ['subj_user', 'subj_role', 'subj_type', 'obj_user', 'obj_role', 'obj_type'].flatMap(
  (name) => [`measure ${name}=x`, `dont_measure ${name}=x`, `measure ${name}=`],
);

const newer = [
  'measure fs_subtype=x',
  'measure fs_subtype=',
  'measure fs_subtype=x fs_subtype=y',
  'measure fsname=fuse fs_subtype=x',
  'dont_audit fowner=1',
  'measure func=FILE_CHECK # a comment',
  'measure func=FILE_CHECK #a comment',
  'measure func=FILE_CHECK#a comment',
  'measure # a comment func=BOGUS',
];

const shapes = [
  '',
  ' ',
  '\t',
  '# a comment',
  '  # a comment',
  '#',
  'measure ',
  ' measure',
  '\tmeasure\t',
  'measure  func=FILE_CHECK   mask=MAY_READ',
  'measure\tfunc=FILE_CHECK',
  'measure func=FILE_CHECK\r',
  'func=FILE_CHECK measure',
  'mask=MAY_READ func=FILE_CHECK measure',
  'func=FILE_CHECK',
  'MEASURE',
  'Measure',
  'measured',
  'measur',
  'measure func',
  'measure func=',
  'measure func =FILE_CHECK',
  'measure func= FILE_CHECK',
  'measure func==FILE_CHECK',
  'measure func>FILE_CHECK',
  'measure func=file_check',
  'measure Func=FILE_CHECK',
  'measure func=FILE_CHECK,mask=MAY_READ',
  'measure func=FILE_CHECK;',
  'measure func=POST_SETATTR',
  'measure func=NONE',
  'measure func=FILE_CHECKS',
  'measure func=FILE_CHEC',
  'measure "func=FILE_CHECK"',
  'measure mask=MAY_READ|MAY_WRITE',
  'measure fsname=a-b.c_d',
  'measure fsname="ext4"',
  'measure permit_directio=1',
  'measure permit_directi',
  'appraise permit_directio permit_directio',
  'measure appraise',
  'measure dont_measure',
  'measure bogus=1',
  'measure uid=1 bogus',
  'bogus measure',
  'measure appraise_type=imasig',
  'appraise pcr=10',
  'appraise template=ima-ng',
  'pcr=10 measure',
  'appraise_type=imasig appraise',
  'appraise_algos=sha256 appraise',
  'appraise appraise_flag=bogus',
  'appraise appraise_flag=check_blacklist appraise_type=imasig|modsig func=MODULE_CHECK',
  'appraise fowner=0 appraise_type=imasig permit_directio',
  'measure func=KEY_CHECK mask=MAY_READ',
  'measure func=KEY_CHECK fowner=1',
  'measure func=KEY_CHECK uid=0 pcr=11 keyrings=.ima template=ima-buf',
  'measure func=CRITICAL_DATA uid=0 pcr=11 label=a template=ima-buf',
  'measure keyrings=.ima',
  'measure label=a',
  'measure keyrings=.ima func=KEY_CHECK',
  'appraise func=SETXATTR_CHECK',
  'appraise func=SETXATTR_CHECK appraise_algos=sha256 fowner=1',
  'appraise func=SETXATTR_CHECK appraise_algos=sha256 mask=MAY_READ',
  'dont_appraise func=SETXATTR_CHECK appraise_algos=sha256',
  'measure func=SETXATTR_CHECK appraise_algos=sha256',
  '/nowhere/at/all',
  '/',
  './policy',
  `measure fsname=${'x'.repeat(255)}`,
  `measure fsname=${'x'.repeat(700)}`,
  'mesure',
  'measure fowner>=5',
  'measure fowner<>5',
  'measure fowner!=5',
];

const LINES = [
  ...new Set([
    ...matrix,
    ...options,
    ...others,
    ...numbers,
    ...oddNumbers,
    ...twice,
    ...pairs,
    ...masks,
    ...magics,
    ...uuids,
    ...templates,
    ...types,
    ...algorithms,
    ...keyrings,
    ...verity,
    ...lsm,
    ...newer,
    ...shapes,
  ]),
];

const escaped = (line: string): string =>
  line.replaceAll(/[ \t\r]/g, (it) => `%${it.charCodeAt(0).toString(16).padStart(2, '0')}`);

const shown = (line: string): string =>
  JSON.stringify(line.length < 80 ? line : `${line.slice(0, 60)}… ${line.length} characters`);

const written = LINES.map(
  (line): Case => ({
    name: `line ${shown(line)}`,
    line,
    steps: [`open! w $IMA/policy , write ${escaped(line)}%0a , write $D%0a , close`],
  }),
);

/** Rules that the scene's first ones keep from doing anything. */
const LOADED = [
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
].map(
  (line): Case => ({
    name: `loaded ${shown(line)}`,
    line,
    steps: [`open! w $IMA/policy , write ${escaped(line)}%0a , close`, '! tail -n 1 $IMA/policy'],
  }),
);

export const policyLines: readonly Scene[] = [
  { name: 'policy-lines', cases: written },
  {
    name: 'policy-text',
    rules: ['dont_measure', 'dont_appraise', 'dont_hash'],
    cases: [...new Map(LOADED.map((it) => [it.name, it])).values()],
  },
];
