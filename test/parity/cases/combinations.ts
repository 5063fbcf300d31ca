/** What random rules and steps came upon: opens that truncate, hash rules, O_DIRECT, files without a name. */
import { type Case, directoryOf, type Scene } from '../case.js';
import { good, labelBy, PROGRAM, TEXT, wrong } from '../content.js';

const READ = 'open! r f , read';
const AS_OWNER = 'as $O $O , ';
const APPRAISE = 'appraise fowner=$O';
const MEASURE = 'measure func=FILE_CHECK fowner=$O';
const HASH = 'hash fowner=$O';
const WRITE = 'open! w f , write changed , close';
const program = { content: PROGRAM, mode: 0o777, label: good(PROGRAM) };

const files = (label?: string, content = TEXT): NonNullable<Case['files']> => ({
  f: { content, mode: 0o666, ...(label === undefined ? {} : { label }) },
});

const truncating: readonly Case[] = [
  {
    name: 'measured: truncated by opening, and read by its writer',
    rules: [MEASURE],
    files: files(),
    steps: ['open! wt f , write new , open! r f , read'],
  },
  {
    name: 'measured: empty, truncated by opening, and read by its writer',
    rules: [MEASURE],
    files: files(undefined, ''),
    steps: ['open! wt f , write new , open! r f , read'],
  },
  {
    name: 'measured: truncated by a reader while it is open for writing',
    rules: [MEASURE],
    files: files(),
    steps: ['open! a f , open! r f , open! rt f , open! r f'],
  },
  {
    name: 'audited: truncated by a reader while it is open for writing',
    rules: ['audit func=FILE_CHECK mask=^MAY_READ fowner=$O'],
    files: files(),
    steps: [READ, 'open! w f , open! rt f , reopen r'],
  },
  {
    name: 'appraised: truncated by opening, and opened again',
    rules: [APPRAISE],
    files: files(good()),
    steps: ['open! wt f , open! rw f'],
  },
  {
    name: 'appraised: truncated by a reader, and opened again',
    rules: [APPRAISE],
    files: files(good()),
    steps: ['open! rt f , open! r f'],
  },
  {
    name: 'appraised: empty, truncated by opening, and opened again',
    rules: [APPRAISE],
    files: files(good(''), ''),
    steps: ['open! wt f , open! rw f , write new', READ],
  },
  {
    name: 'appraised: truncated and written by a writer whom another rule keeps from being labelled',
    rules: ['dont_appraise func=FILE_CHECK mask=MAY_READ fowner=$O', APPRAISE],
    files: files(good()),
    steps: ['open! wt f , write new , close'],
  },
];

/** truncate(2) comes before the last close has come to be known here. */
const cut: readonly Case[] = [
  {
    name: 'appraised: truncated by path right after it was written',
    rules: [APPRAISE],
    files: files(good()),
    steps: ['open! w f , write changed , close , truncate f 3', READ],
  },
  {
    name: 'appraised: truncated by path right after it was opened for writing',
    rules: [APPRAISE],
    files: files(good()),
    steps: ['open! w f , close , truncate f 3', READ],
  },
  {
    name: 'appraised: truncated by path while it is open for writing',
    rules: [APPRAISE],
    files: files(good()),
    steps: ['open! w f , write changed , truncate f 3 , close', READ],
  },
];

const hashing: readonly Case[] = [
  {
    name: 'hashed when executed: written under no rule',
    rules: ['hash func=BPRM_CHECK fowner=$O'],
    files: { f: program },
    steps: ['run f', WRITE],
  },
  {
    name: 'hashed when read: written twice under no rule',
    rules: ['hash mask=MAY_READ fowner=$O'],
    files: files(),
    steps: [READ, WRITE, 'open! a f , write more , close'],
  },
  {
    name: 'hashed when read: given another mode, and opened for writing under no rule',
    rules: ['hash mask=MAY_READ fowner=$O'],
    files: files(wrong),
    steps: [READ, 'chmod f 600', 'open! w f , close'],
  },
  {
    name: 'hashed: a wrong label, opened for writing and closed',
    rules: [HASH],
    files: files(wrong),
    steps: ['open! w f , close', READ],
  },
  {
    name: 'hashed: no label, read, opened for writing and closed',
    rules: [HASH],
    files: files(),
    steps: [READ, 'open! w f , close'],
  },
  {
    name: 'hashed and measured: no label, opened for writing and closed',
    rules: [HASH, MEASURE],
    files: files(),
    steps: ['open! w f , close'],
  },
  {
    name: 'hashed and measured: made empty',
    rules: [HASH, MEASURE],
    steps: [`${AS_OWNER}open! wc g , close`],
    makes: ['g'],
  },
  {
    name: 'hashed and measured: opened for writing, and then written',
    rules: [HASH, MEASURE],
    files: files(),
    steps: ['open! w f , close', WRITE],
  },
  {
    name: 'hashed: given to an owner of no rule between being read and written',
    rules: [HASH, APPRAISE],
    files: files(good()),
    steps: [READ, 'chown f 5 5', WRITE],
  },
];

const auditing: readonly Case[] = [
  {
    name: 'audited: read, opened for writing, and read again',
    rules: ['audit fowner=$O'],
    files: files(),
    steps: [READ, 'open! w f , close', READ],
  },
  {
    name: 'audited: read, given another mode, and read again',
    rules: ['audit fowner=$O'],
    files: files(),
    steps: [READ, 'chmod f 600', READ],
  },
];

const direct: readonly Case[] = [
  {
    name: 'O_DIRECT, appraised: made before',
    rules: [APPRAISE],
    steps: [`${AS_OWNER}open! wc g , write new , close`, 'open! rd g'],
    makes: ['g'],
  },
  {
    name: 'O_DIRECT, appraised: read and opened for writing before',
    rules: [APPRAISE],
    files: files(good()),
    steps: [READ, 'open! w f , close', 'open! rd f'],
  },
  {
    name: 'O_DIRECT, appraised: written before',
    rules: [APPRAISE],
    files: files(good()),
    steps: [WRITE, 'open! rd f'],
  },
  {
    name: 'O_DIRECT, measured: read and opened for writing before',
    rules: [MEASURE],
    files: files(),
    steps: [READ, 'open! w f , close', 'open! rd f'],
  },
  {
    name: 'O_DIRECT, appraised: truncated by it',
    rules: [APPRAISE],
    files: files(good()),
    steps: [READ, 'open! rwd f , ftruncate 4 , close', READ],
  },
  {
    name: 'O_DIRECT, hashed: truncated by it',
    rules: [HASH],
    files: files(good()),
    steps: ['open! wd f , ftruncate 4 , close'],
  },
];

const nameless: readonly Case[] = [
  ['measured', 'measure fowner=$O'],
  ['audited', 'audit fowner=$O'],
  ['appraised', APPRAISE],
  ['hashed', HASH],
].flatMap(([kind, rule]): Case[] => [
  {
    name: `${kind}: made without a name`,
    rules: [rule ?? ''],
    steps: [`${AS_OWNER}open! rwm . , write new , linkfd g , close`, 'open! r g , read'],
    makes: ['g'],
  },
  {
    name: `${kind}: made without a name, and opened again before the end`,
    rules: [rule ?? ''],
    steps: [`${AS_OWNER}open! rwm . , write new , linkfd g , open! r g , read`, 'open! r g , read'],
    makes: ['g'],
  },
]);

const collected: readonly Case[] = [
  {
    name: 'measured by the template of old, then appraised by a label of another algorithm',
    rules: [
      'measure func=FILE_CHECK mask=MAY_EXEC fowner=$O template=ima',
      'appraise func=BPRM_CHECK fowner=$O',
    ],
    files: { f: { ...program, label: labelBy('sha512', PROGRAM) } },
    steps: ['run f'],
  },
  {
    name: 'measured, written, and appraised before the end',
    rules: [MEASURE, 'appraise func=FILE_CHECK mask=^MAY_APPEND fowner=$O'],
    files: files(good()),
    steps: ['open! w f , write x , open! a f'],
  },
];

const fixing: readonly Case[] = [
  {
    name: 'fix: O_DIRECT, a wrong label read before',
    rules: [APPRAISE],
    files: files(wrong),
    steps: [READ, 'open! rd f'],
  },
  {
    name: 'fix: a wrong label, measured with ima-sig twice',
    rules: [`${MEASURE} template=evm-sig`, APPRAISE],
    files: files(wrong),
    steps: [READ, READ],
  },
  {
    name: 'fix: appraise_algos=sha512 and no label',
    rules: [`${APPRAISE} appraise_algos=sha512`],
    files: files(),
    steps: [READ],
  },
  {
    name: 'fix: appraise_algos=sha512 and a file that is made',
    rules: [`${APPRAISE} appraise_algos=sha512`],
    steps: [`${AS_OWNER}open! wc g , write new , close`],
    makes: ['g'],
  },
];

const onTmpfs: readonly Case[] = [
  {
    name: 'tmpfs, hashed: made and written',
    rules: [HASH],
    steps: [`${AS_OWNER}open! wc g , write new , close`],
    makes: ['g'],
  },
  {
    name: 'tmpfs, hashed: written',
    rules: [HASH],
    files: files(good()),
    steps: [WRITE],
  },
  {
    name: 'tmpfs, appraised: made without a name',
    rules: [APPRAISE],
    steps: [`${AS_OWNER}open! rwm . , write new , linkfd g , close`, 'open! r g , read'],
    makes: ['g'],
  },
];

/** A violation has what fields read of the inode itself. */
const violating: readonly Case[] = [
  ['a reader, then a writer', 'open! r f , open! w f'],
  ['a writer, then a reader', 'open! w f , open! r f'],
].map(
  ([what, step]): Case => ({
    name: `evm-sig: ${what}`,
    rules: ['measure func=FILE_CHECK mask=MAY_READ fowner=$O'],
    files: { f: { content: TEXT, mode: 0o640, group: 77, label: good() } },
    steps: [step ?? ''],
  }),
);

const named = 'log: an interpreter that is mapped for a script';
const tolerated: readonly Case[] = [
  {
    name: 'log, appraised and hashed: a wrong label, written',
    rules: [APPRAISE, HASH],
    files: files(wrong),
    steps: [WRITE, READ],
  },
  {
    name: 'log, appraised, not hashed: a wrong label, written',
    rules: [APPRAISE, 'dont_hash fowner=$O', HASH],
    files: files(wrong),
    steps: [WRITE, READ],
  },
];

const executing: readonly Case[] = [
  {
    name: named,
    rules: ['appraise func=MMAP_CHECK fowner=$O'],
    files: {
      f: { content: `#!/mnt/${directoryOf({ name: named, steps: [] })}/i\n`, mode: 0o777 },
      i: { content: PROGRAM, mode: 0o777, label: wrong },
    },
    steps: ['run f', 'run i', 'run f'],
  },
];

export const combinations: readonly Scene[] = [
  {
    name: 'combinations',
    cases: [...truncating, ...cut, ...hashing, ...auditing, ...direct, ...nameless, ...collected],
  },
  { name: 'combinations-fix', mode: 'fix', cases: fixing },
  { name: 'combinations-evm-sig', template: 'evm-sig', cases: violating },
  { name: 'combinations-log', mode: 'log', cases: [...executing, ...tolerated] },
  { name: 'combinations-tmpfs', fileSystem: 'tmpfs', cases: onTmpfs },
];
