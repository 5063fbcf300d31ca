/** When a rule matches: every condition with every operator, and the first of a family. */
import { asUser, type Case, type Scene } from '../case.js';
import { good, PROGRAM, TEXT, wrong } from '../content.js';

const READ = 'open! r f , read , close';
const FILE = { content: TEXT, mode: 0o666 };

/** Real, effective and saved ids; the one that keeps CAP_SETUID has 0 for its effective id. */
const WHO: readonly (readonly [string, string])[] = [
  ['root', ''],
  ['a user', 'as 1000 1000 , '],
  ['the real id alone', 'resuid 1001 1000 1000 , '],
  ['the effective id alone', 'resuid 1000 1001 1000 , '],
  ['the saved id alone', 'resuid 1000 1000 1001 , '],
  ['root with the real id', 'resuid 1001 0 0 , '],
  ['root with the saved id', 'resuid 0 0 1001 , '],
  ['the fs id alone', 'fsuid 1001 , '],
  ['a smaller id', 'as 999 999 , '],
  ['a larger id', 'as 1002 1002 , '],
];

const users: readonly Case[] = [
  'uid=1001',
  'euid=1001',
  'uid>1000',
  'euid>1000',
  'uid<1000',
  'euid<1000',
].flatMap((condition) =>
  WHO.map(
    ([who, become]): Case => ({
      name: `${condition.replace('=', ' is ').replace('>', ' above ').replace('<', ' below ')} and ${who}`,
      rules: [`measure func=FILE_CHECK ${condition} fowner=$O`],
      files: { f: FILE },
      steps: [`${become}${READ}`],
    }),
  ),
);

const GROUPS: readonly (readonly [string, string])[] = [
  ['root', ''],
  ['the real group alone', 'resgid 1001 1000 1000 , '],
  ['the effective group alone', 'resgid 1000 1001 1000 , '],
  ['the saved group alone', 'resgid 1000 1000 1001 , '],
  ['a user with that group', 'as 1000 1001 , '],
  ['a user with another', 'as 1001 1000 , '],
  ['a user with the real group alone', 'resgid 1001 1000 1000 , resuid 1000 1000 1000 , '],
  ['a user with the saved group alone', 'resgid 1000 1000 1001 , resuid 1000 1000 1000 , '],
];

const groups: readonly Case[] = ['gid=1001', 'egid=1001', 'gid>1000', 'egid<1001'].flatMap(
  (condition) =>
    GROUPS.map(
      ([who, become]): Case => ({
        name: `${condition.replace('=', ' is ').replace('>', ' above ').replace('<', ' below ')} and ${who}`,
        rules: [`measure func=FILE_CHECK ${condition} fowner=$O`],
        files: { f: FILE },
        steps: [`${become}${READ}`],
      }),
    ),
);

const owners: readonly Case[] = [
  ['fowner=60001', 60001],
  ['fowner=60001', 60002],
  ['fowner>60009', 60009],
  ['fowner>60009', 60010],
  ['fowner>60009', 60011],
  ['fowner<7', 6],
  ['fowner<7', 7],
].map(
  ([condition, owner]): Case => ({
    name: `${String(condition).replace('=', ' is ').replace('>', ' above ').replace('<', ' below ')} and owner ${owner}`,
    files: { f: { ...FILE, owner: Number(owner) } },
    steps: [READ],
  }),
);

const ownerGroups: readonly Case[] = [
  ['fgroup=70001', 70001],
  ['fgroup=70001', 70002],
  ['fgroup>70009', 70010],
  ['fgroup<7', 6],
  ['fgroup<7', 7],
].map(
  ([condition, group]): Case => ({
    name: `${String(condition).replace('=', ' is ').replace('>', ' above ').replace('<', ' below ')} and group ${group}`,
    files: { f: { ...FILE, owner: 60_000, group: Number(group) } },
    steps: [READ],
  }),
);

/** Two rules and a file without a label: which of them decides. */
const FIRST: readonly (readonly [string, readonly string[]])[] = [
  ['measure, then not', ['measure fowner=$O', 'dont_measure fowner=$O']],
  ['not, then measure', ['dont_measure fowner=$O', 'measure fowner=$O']],
  ['appraise, then not', ['appraise fowner=$O', 'dont_appraise fowner=$O']],
  ['not, then appraise', ['dont_appraise fowner=$O', 'appraise fowner=$O']],
  ['audit and measure', ['audit fowner=$O', 'measure fowner=$O']],
  ['measure, audit and appraise', ['measure fowner=$O', 'audit fowner=$O', 'appraise fowner=$O']],
  ['not measured does not stop appraisal', ['dont_measure fowner=$O', 'appraise fowner=$O']],
  ['not appraised does not stop measuring', ['dont_appraise fowner=$O', 'measure fowner=$O']],
  [
    'not measured for reading, measured else',
    ['dont_measure mask=MAY_READ fowner=$O', 'measure fowner=$O'],
  ],
  [
    'not measured for writing, measured else',
    ['dont_measure mask=MAY_WRITE fowner=$O', 'measure fowner=$O'],
  ],
  [
    'not measured for user 1000, measured else',
    ['dont_measure uid=1000 fowner=$O', 'measure fowner=$O'],
  ],
  [
    'not appraised for user 1000, appraised else',
    ['dont_appraise uid=1000 fowner=$O', 'appraise fowner=$O'],
  ],
  ['appraised for user 1000 only', ['appraise uid=1000 fowner=$O']],
  ['appraised for all but user 1000', ['dont_appraise uid=1000 fowner=$O', 'appraise fowner=$O']],
  ['measured for exec, not else', ['measure mask=MAY_EXEC fowner=$O', 'dont_measure fowner=$O']],
  ['hash, then not', ['hash fowner=$O', 'dont_hash fowner=$O']],
  ['not hashed, then hash', ['dont_hash fowner=$O', 'hash fowner=$O']],
  [
    'audit by one hook, measure by another',
    ['audit func=BPRM_CHECK fowner=$O', 'measure func=FILE_CHECK mask=^MAY_READ fowner=$O'],
  ],
  ['two PCRs, the first counts', ['measure fowner=$O pcr=11', 'measure fowner=$O pcr=12']],
  [
    'two templates, the first counts',
    ['measure fowner=$O template=ima-sig', 'measure fowner=$O template=ima'],
  ],
  ['a PCR of a rule that does not match', ['measure uid=4 fowner=$O pcr=11', 'measure fowner=$O']],
];

const STEPS: readonly (readonly [string, string])[] = [
  ['read', READ],
  ['read by a user', asUser(READ)],
  ['written', 'open! w f , write x , close'],
  ['executed', 'run f'],
];

const first: readonly Case[] = FIRST.flatMap(([name, rules]) =>
  STEPS.map(
    ([how, step]): Case => ({
      name: `${name}: ${how}`,
      rules,
      files: { f: { content: PROGRAM, mode: 0o777 } },
      steps: [step],
    }),
  ),
);

const MAGIC: readonly (readonly [string, string])[] = [
  ['the magic of ext4', 'fsmagic=0xef53'],
  ['the magic of tmpfs', 'fsmagic=0x01021994'],
  ['the magic of FUSE', 'fsmagic=0x65735546'],
  ['the name of ext4', 'fsname=ext4'],
  ['the name of tmpfs', 'fsname=tmpfs'],
  ['the name of FUSE', 'fsname=fuse'],
  ['a UUID of none', 'fsuuid=11111111-2222-3333-4444-555555555555'],
];

const fileSystems = (prefix: string): readonly Case[] =>
  MAGIC.map(
    ([name, condition]): Case => ({
      name: `${prefix}: ${name}`,
      rules: [`measure func=FILE_CHECK ${condition} fowner=$O`],
      files: { f: FILE },
      steps: [READ],
    }),
  );

const changing: readonly Case[] = [
  {
    name: 'a file that gets another owner is not protected any more',
    rules: ['appraise fowner=$O'],
    files: { f: { ...FILE, label: wrong } },
    steps: [READ, 'chown f 5 5', READ],
  },
  {
    name: 'a file that gets the owner is protected',
    rules: ['appraise fowner=$O'],
    files: { f: { ...FILE, owner: 5, label: wrong } },
    steps: [READ, 'chown f $O $O', READ],
  },
  {
    name: 'a group that changes and changes back',
    rules: ['appraise fowner=$O fgroup=$O'],
    files: { f: { ...FILE, label: good() } },
    steps: [READ, 'chown f $O 6', READ, 'chown f $O $O', READ],
  },
];

export const conditions: readonly Scene[] = [
  {
    name: 'conditions',
    cases: [...users, ...groups, ...first, ...fileSystems('on ext4'), ...changing],
  },
  {
    name: 'owners',
    rules: [
      'measure func=FILE_CHECK fowner=60001',
      'measure func=FILE_CHECK fowner>60009',
      'measure func=FILE_CHECK fowner<7 uid=0 fgroup=6',
      'measure func=FILE_CHECK fowner<7 fgroup<7',
      'measure func=FILE_CHECK fowner=60000 fgroup=70001',
      'measure func=FILE_CHECK fowner=60000 fgroup>70009',
      'measure func=FILE_CHECK fowner=60000 fgroup<7',
    ],
    cases: [...owners, ...ownerGroups],
  },
  { name: 'tmpfs', fileSystem: 'tmpfs', cases: [...fileSystems('on tmpfs')] },
];
