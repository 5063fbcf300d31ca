/** Who may set and remove security.ima and security.evm, and to what; appraise_algos= and SETXATTR_CHECK. */
import { digestOf } from '../../helpers/label.js';
import { asUser, type Case, type Scene } from '../case.js';
import { ALGORITHM_IDS, byteHex, good, labelBy, SIGNATURE, TEXT, wrong } from '../content.js';

const FILE = { content: TEXT, mode: 0o666 };
const sha256 = digestOf(TEXT);

const VALUES: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ...Array.from({ length: 11 }, (_, type): [string, string] => [
    `type ${byteHex(type)}`,
    `${byteHex(type)}04${sha256}`,
  ]),
  ['type ff', `ff04${sha256}`],
  ['04 alone', '04'],
  ['0404 alone', '0404'],
  ['01 alone', '01'],
  ['03 alone', '03'],
  ['a signature', SIGNATURE],
  ['a signature by MD4', '0302000011223300020102'],
  ['a signature by no algorithm', '0302ff0011223300020102'],
  ['a signature of version 3', '0303040011223300020102'],
  ['a verity signature', '0603040011223300020102'],
  ['MD4', `0400${sha256}`],
  ['400 bytes', `0404${'ab'.repeat(400)}`],
];

const rules = ['appraise fowner=$O'];

const setting = (prefix: string, more: object): Case[] =>
  VALUES.flatMap(([value, hex]): Case[] => [
    {
      name: `${prefix}: security.ima set to ${value}`,
      rules,
      files: { f: { ...FILE, label: good() } },
      steps: [`setx f security.ima ${hex}`, 'open! r f'],
      ...more,
    },
    {
      name: `${prefix}: security.ima set by a user to ${value}`,
      rules,
      files: { f: { ...FILE, label: good() } },
      steps: [asUser(`setx f security.ima ${hex}`), 'open! r f'],
      ...more,
    },
  ]);

const removing: readonly Case[] = [
  { name: 'security.ima removed', steps: ['rmx f security.ima', 'open! r f'] },
  { name: 'security.ima removed by a user', steps: [asUser('rmx f security.ima'), 'open! r f'] },
  {
    name: 'security.ima removed by the owner',
    steps: ['as $O $O , rmx f security.ima', 'open! r f'],
  },
  {
    name: 'security.ima set by the owner',
    steps: [`as $O $O , setx f security.ima ${wrong}`, 'open! r f'],
  },
  {
    name: 'security.ima that is not there removed',
    files: { f: FILE },
    steps: ['rmx f security.ima'],
  },
  { name: 'security.ima read by a user', steps: [asUser('getx f security.ima')] },
  { name: 'names of attributes read by a user', steps: [asUser('listx f')] },
  {
    name: 'security.evm set to an HMAC',
    steps: [`setx f security.evm 02${digestOf(TEXT, 'sha1')}`],
  },
  {
    name: 'security.evm set to a signature',
    steps: [`setx f security.evm ${SIGNATURE}`, 'open! r f'],
  },
  {
    name: 'security.evm set to a portable signature',
    steps: ['setx f security.evm 0502040011223300020102', 'open! r f'],
  },
  { name: 'security.evm set to nothing', steps: ['setx f security.evm '] },
  { name: 'security.evm set to type 04', steps: [`setx f security.evm 0404${sha256}`] },
  { name: 'security.evm set to type 01', steps: [`setx f security.evm 01${sha256}`] },
  { name: 'security.evm set to type 07', steps: [`setx f security.evm 0704${sha256}`] },
  {
    name: 'security.evm set by a user',
    steps: [asUser('setx f security.evm 0502040011223300020102')],
  },
  {
    name: 'security.evm removed',
    files: { f: { ...FILE, label: good(), evm: '0502040011223300020102' } },
    steps: ['rmx f security.evm', 'open! r f'],
  },
  {
    name: 'security.evm removed by a user',
    files: { f: { ...FILE, label: good(), evm: '0502040011223300020102' } },
    steps: [asUser('rmx f security.evm')],
  },
  { name: 'security.evm that is not there removed', steps: ['rmx f security.evm'] },
  {
    name: 'security.capability set on a labelled file',
    steps: ['setx f security.capability 0100000200000000000000000000000000000000', 'open! r f'],
  },
  { name: 'security.other set by root', steps: ['setx f security.other 01', 'open! r f'] },
  { name: 'security.other set by a user', steps: [asUser('setx f security.other 01')] },
  { name: 'trusted.x set by root', steps: ['setx f trusted.x 01', 'open! r f'] },
  { name: 'user.x set by a user', steps: [asUser('setx f user.x 01'), 'open! r f'] },
  { name: 'a directory labelled', steps: ['mkdir d 755', `setx d security.ima ${good()}`] },
  {
    name: 'a directory labelled by a user',
    steps: ['mkdir d 777', asUser(`setx d security.ima ${good()}`)],
  },
  {
    name: 'a directory labelled with type 09',
    steps: ['mkdir d 755', `setx d security.ima 0904${sha256}`],
  },
  { name: 'a symbolic link labelled', steps: ['symlink f l', `setx l security.ima ${good()}`] },
  { name: 'a fifo labelled', steps: ['mknod p p 644', `setx p security.ima ${good()}`] },
].map((it): Case => ({ rules, files: { f: { ...FILE, label: good() } }, ...it }));

/** A rule that takes some algorithms for a file that is labelled by another. */
const ALGORITHMS = Object.keys(ALGORITHM_IDS) as (keyof typeof ALGORITHM_IDS)[];
const LISTS = ['sha256', 'sha256,sha512', 'sha512', 'sha1,md5'];

const forms: readonly (readonly [string, string | undefined])[] = [
  ...ALGORITHMS.map((it): [string, string] => [it, labelBy(it)]),
  ['a SHA-1 of type 01', `01${digestOf(TEXT, 'sha1')}`],
  ['no label', undefined],
  ['a wrong sha256', wrong],
  ['a wrong sha1', labelBy('sha1', 'other')],
  ['a signature by SHA-256', SIGNATURE],
  ['a signature by SHA-1', SIGNATURE.replace('030204', '030202')],
];

const limited: readonly Case[] = LISTS.flatMap((list) =>
  forms.map(
    ([form, label]): Case => ({
      name: `appraise_algos=${list} and ${form}`,
      rules: [`appraise func=FILE_CHECK appraise_algos=${list} fowner=$O`],
      files: { f: { ...FILE, ...(label === undefined ? {} : { label }) } },
      steps: ['open! r f', 'open! w f , write x , close', 'open! r f'],
    }),
  ),
);

const checked: readonly Case[] = VALUES.map(
  ([value, hex]): Case => ({
    name: `SETXATTR_CHECK: security.ima set to ${value}`,
    rules,
    files: { f: { ...FILE, label: good() } },
    steps: [`setx f security.ima ${hex}`],
  }),
).concat(
  ALGORITHMS.map((algorithm) => ({
    name: `SETXATTR_CHECK: security.ima set to the right ${algorithm}`,
    rules,
    files: { f: FILE },
    steps: [`setx f security.ima ${labelBy(algorithm)}`, 'open! r f'],
  })),
  [
    {
      name: 'SETXATTR_CHECK: a SHA-1 of type 01',
      rules,
      files: { f: FILE },
      steps: [`setx f security.ima 01${digestOf(TEXT, 'sha1')}`],
    },
    {
      name: 'SETXATTR_CHECK: a file that no rule names',
      rules,
      files: { f: { ...FILE, owner: 3 } },
      steps: [`setx f security.ima ${labelBy('sha1')}`],
    },
  ],
);

const direct: readonly Case[] = [
  ['appraised', 'appraise fowner=$O'],
  ['appraised with permit_directio', 'appraise permit_directio fowner=$O'],
  ['measured', 'measure fowner=$O'],
  ['measured with permit_directio', 'measure permit_directio fowner=$O'],
  ['audited', 'audit fowner=$O'],
].flatMap(([how, rule]) =>
  [
    ['read', 'open! rd f , dread'],
    ['read twice', 'open! rd f , dread , open! rd f , dread'],
    ['read before', 'open! r f , read , open! rd f , dread'],
    ['read after', 'open! rd f , open! r f'],
    ['written', 'open! wd f'],
  ].map(
    ([what, step]): Case => ({
      name: `O_DIRECT, ${how}: ${what}`,
      rules: [rule ?? ''],
      files: { f: { ...FILE, label: good() } },
      steps: [step ?? ''],
    }),
  ),
);

export const xattrs: readonly Scene[] = [
  { name: 'xattrs', cases: [...setting('appraised', {}), ...removing] },
  { name: 'xattrs-free', cases: setting('no rules', { rules: [] }) },
  { name: 'algorithms', cases: [...limited, ...direct] },
  {
    name: 'setxattr-check',
    rules: ['appraise func=SETXATTR_CHECK appraise_algos=sha256,sha512'],
    cases: checked,
  },
];
