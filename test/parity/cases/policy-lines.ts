/**
 * Lines of policies: what writing each of them gives, and what the audit log says of it. No line takes
 * effect, for a bad one, the case's mark, follows it on the same open. The second scene loads some, and reads them back.
 */
import type { Case, Scene } from '../case.js';
import { LOADED } from './loaded-lines.js';
import { ODD_LINES } from './odd-lines.js';
import { escaped, IDS, shown } from './policy-words.js';

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
export const OLD_FUNCS = ['PATH_CHECK', 'FILE_MMAP'];

export const FUNCS = [
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
    ...ODD_LINES,
  ]),
];

const written = LINES.map(
  (line): Case => ({
    name: `line ${shown(line)}`,
    line,
    steps: [`open! w $IMA/policy , write ${escaped(line)}%0a , write $D%0a , close`],
  }),
);

export const policyLines: readonly Scene[] = [
  { name: 'policy-lines', cases: written },
  {
    name: 'policy-text',
    rules: ['dont_measure', 'dont_appraise', 'dont_hash'],
    cases: [...LOADED],
  },
];
