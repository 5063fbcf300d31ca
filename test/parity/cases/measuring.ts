/** What is measured, how the entry looks, when a file is measured anew, and violations. */
import { asUser, type Case, type Scene } from '../case.js';
import { good, labelBy, PROGRAM, SIGNATURE, TEXT } from '../content.js';

const READ = 'open! r f , read , close';
const PLAIN = { content: TEXT };
const MEASURE = 'measure func=FILE_CHECK mask=MAY_READ fowner=$O';

const TEMPLATES = [
  'ima',
  'ima-ng',
  'ima-sig',
  'ima-ngv2',
  'ima-sigv2',
  'ima-buf',
  'ima-modsig',
  'evm-sig',
];

const templates: readonly Case[] = TEMPLATES.flatMap((template): Case[] => {
  const rules = [`${MEASURE} template=${template}`];
  const measured = (what: string, file: object): Case => ({
    name: `template ${template} of ${what}`,
    rules,
    files: { f: { ...PLAIN, mode: 0o640, group: 77, ...file } },
    steps: [READ],
  });
  return [
    measured('a file without a label', {}),
    measured('a file with its hash', { label: good() }),
    measured('a file with a SHA-1', { label: labelBy('sha1') }),
    measured('a file with a SHA-512', { label: labelBy('sha512') }),
    measured('a file with a signature', { label: SIGNATURE }),
    measured('a file with a signature by SHA-1', { label: SIGNATURE.replace('030204', '030202') }),
    measured('a file with a label of no type', { label: '0004' }),
    measured('a file with another label and EVM', { label: good(), evm: '0502040011223300020102' }),
  ];
});

const algorithms: readonly Case[] = (
  ['md5', 'sha1', 'rmd160', 'sha224', 'sha256', 'sha384', 'sha512', 'sha3-256', 'sha3-512'] as const
).flatMap((algorithm): Case[] => [
  {
    name: `an entry has the algorithm of a label by ${algorithm}`,
    rules: [MEASURE],
    files: { f: { ...PLAIN, label: labelBy(algorithm) } },
    steps: [READ],
  },
  {
    name: `an entry has the algorithm of a wrong label by ${algorithm}`,
    rules: [MEASURE],
    files: { f: { ...PLAIN, label: labelBy(algorithm, 'other') } },
    steps: [READ],
  },
]);

const again: readonly Case[] = [
  { name: 'a file read twice is one entry', steps: [READ, READ] },
  { name: 'a file read by two users is one entry', steps: [READ, asUser(READ)] },
  {
    name: 'a changed file is a second entry',
    steps: [READ, 'open! a f , write more , close', READ],
  },
  {
    name: 'a file changed and changed back is one entry',
    steps: [READ, 'truncate f 3', READ, 'open! a f , write e%20text%0a , close', READ],
  },
  {
    name: 'a rewritten file of the same content is one entry',
    steps: [READ, 'open! w f , write some , close', READ],
  },
  {
    name: 'a renamed file is not measured again',
    steps: [READ, 'rename f g', 'open! r g , read'],
    makes: ['g'],
  },
  {
    name: 'a second name is not measured again',
    steps: [READ, 'link f g', 'open! r g , read'],
    makes: ['g'],
  },
  {
    name: 'a file that was renamed first has its new name',
    steps: ['rename f g', 'open! r g , read'],
    makes: ['g'],
  },
  {
    name: 'a copy is an entry of its own',
    steps: [READ, 'open! r f , open! wc g , copyrange 0 100 , close', 'open! r g , read'],
    makes: ['g'],
  },
  { name: 'a new mode does not measure again', steps: [READ, 'chmod f 600', READ] },
  {
    name: 'a new label does not measure again',
    steps: [READ, `setx f security.ima ${good()}`, READ],
  },
  {
    name: 'a new label by another algorithm',
    steps: [READ, `setx f security.ima ${labelBy('sha512')}`, READ],
  },
  {
    name: 'a label taken away',
    steps: [`setx f security.ima ${labelBy('sha512')}`, READ, 'rmx f security.ima', READ],
  },
  {
    name: 'other attributes do not measure again',
    steps: [READ, 'setx f user.x 01', READ, 'utimens f 1 0 1 0', READ],
  },
  {
    name: 'a file replaced by another of its name and content',
    steps: [READ, 'unlink f', 'open! wc f , write some%20text%0a , close , chown f $O $O', READ],
  },
  {
    name: 'a file replaced by another content',
    steps: [READ, 'unlink f', 'open! wc f , write other%0a , close , chown f $O $O', READ],
  },
  {
    name: 'an owner out of the rule and back',
    steps: [READ, 'chown f 5 5', READ, 'chown f $O $O', 'open! a f , write x , close', READ],
  },
  { name: 'an empty file', files: { f: {} }, steps: [READ] },
  { name: 'a file truncated to nothing', steps: [READ, 'truncate f 0', READ] },
  { name: 'a sparse file', files: { f: {} }, steps: ['truncate f 100000', READ] },
  {
    name: 'a file changed through a mapping',
    steps: [READ, 'open! rw f , mmap rw s 10 , store 0 SOME , munmap , close', READ],
  },
  {
    name: 'a file changed through a mapping that outlives its descriptor',
    steps: [READ, 'open! rw f , mmap rw s 10 , close , store 0 SOME , munmap', READ],
  },
  { name: 'a file read through a symbolic link', steps: ['symlink f g', 'open! r g , read'] },
  {
    name: 'a name with spaces',
    files: { 'a%20b%20%20c': PLAIN },
    steps: ['open! r a%20b%20%20c , read'],
  },
  { name: 'a name with quotes', files: { 'a"b\\c': PLAIN }, steps: ['open! r a"b\\c , read'] },
  {
    name: 'a name of 255 bytes',
    files: { ['n'.repeat(255)]: PLAIN },
    steps: [`open! r ${'n'.repeat(255)} , read`],
  },
  { name: 'an open without reading', steps: ['open! r f'] },
  { name: 'an open for its path alone', steps: ['open! p f'] },
  { name: 'a reopened descriptor', steps: ['open! p f , reopen r , read'] },
  { name: 'an attribute read', steps: ['stat f , getx f security.ima , access f r'] },
  { name: 'a read past the cache', steps: ['open! rd f , dread'] },
  { name: 'a read past the cache of a file measured before', steps: [READ, 'open! rd f , dread'] },
  {
    name: 'a file read and then executed',
    files: { f: { content: PROGRAM, mode: 0o755 } },
    steps: [READ, 'run f'],
  },
].map((it): Case => ({ rules: [MEASURE], files: { f: PLAIN }, ...it }));

const masks: readonly Case[] = ['MAY_READ', 'MAY_WRITE', 'MAY_APPEND', 'MAY_EXEC'].flatMap((bit) =>
  ['', '^'].flatMap((caret) =>
    ['r', 'w', 'rw', 'a', 'ra', 'wt', 'rt', 'exec'].map(
      (flags): Case => ({
        name: `${caret === '' ? 'just' : 'among others'} ${bit} and an open for ${flags}`,
        rules: [`measure func=FILE_CHECK mask=${caret}${bit} fowner=$O`],
        files: { f: { content: PROGRAM, mode: 0o777 } },
        steps: [flags === 'exec' ? 'run f' : `open! ${flags} f`],
      }),
    ),
  ),
);

const PCRS: readonly Case[] = [
  {
    name: 'pcr=11 is shown',
    rules: [`${MEASURE} pcr=11`],
    files: { f: PLAIN },
    steps: [READ, READ],
  },
  {
    name: 'pcr=0 is shown',
    rules: [`${MEASURE} pcr=0`],
    files: { f: PLAIN },
    steps: [READ],
  },
  {
    name: 'two hooks measure into two PCRs',
    rules: ['measure func=BPRM_CHECK fowner=$O pcr=12', 'measure func=FILE_CHECK fowner=$O pcr=13'],
    files: { f: { content: PROGRAM, mode: 0o755 } },
    steps: ['run f', 'run f', READ],
  },
  {
    name: 'one file measured into one PCR by two hooks is one entry',
    rules: ['measure func=BPRM_CHECK fowner=$O', 'measure func=FILE_CHECK fowner=$O'],
    files: { f: { content: PROGRAM, mode: 0o755 } },
    steps: ['run f', READ],
  },
  {
    name: 'two hooks measure by two templates',
    rules: [
      'measure func=BPRM_CHECK fowner=$O template=ima-sig',
      'measure func=FILE_CHECK fowner=$O template=ima-ng',
    ],
    files: { f: { content: PROGRAM, mode: 0o755 } },
    steps: ['run f', READ],
  },
  {
    name: 'users measured into two PCRs',
    rules: [`${MEASURE} uid=0 pcr=14`, `${MEASURE} pcr=15`],
    files: { f: PLAIN },
    steps: [READ, asUser(READ), READ],
  },
];

export const measuring: readonly Scene[] = [
  { name: 'measuring', cases: [...algorithms, ...again, ...masks, ...PCRS] },
  { name: 'templates', cases: templates },
];
