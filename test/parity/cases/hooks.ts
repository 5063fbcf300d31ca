/** Which accesses run which func, seen by what is measured, appraised and audited. */
import { asUser, type Case, type Scene } from '../case.js';
import { good, PROGRAM, TEXT, wrong } from '../content.js';

const FUNCS = [
  'FILE_CHECK',
  'BPRM_CHECK',
  'CREDS_CHECK',
  'MMAP_CHECK',
  'MMAP_CHECK_REQPROT',
  'MODULE_CHECK',
  'FIRMWARE_CHECK',
  'KEXEC_KERNEL_CHECK',
  'POLICY_CHECK',
];

const SCRIPT = (directory: string): string => `#!/mnt/${directory}/i\n`;

interface Act {
  readonly name: string;
  readonly content: string | Uint8Array;
  readonly step: string;
}

const ACTS: readonly Act[] = [
  { name: 'a text read', content: TEXT, step: 'open! r f , read' },
  { name: 'a text written', content: TEXT, step: 'open! w f , write x , close' },
  { name: 'a text read and written', content: TEXT, step: 'open! rw f , write x , close' },
  { name: 'a program read', content: PROGRAM, step: 'open! r f' },
  { name: 'a program executed', content: PROGRAM, step: 'run f' },
  { name: 'a program executed by a user', content: PROGRAM, step: asUser('run f') },
  { name: 'a program executed by its descriptor', content: PROGRAM, step: 'open! p f , fexec' },
  { name: 'a program mapped to be executed', content: PROGRAM, step: 'open! r f , mmap rx p 129' },
  { name: 'a program mapped to be read', content: PROGRAM, step: 'open! r f , mmap r p 129' },
  { name: 'a text mapped to be executed', content: TEXT, step: 'open! r f , mmap rx p 10' },
  { name: 'a text executed', content: TEXT, step: 'run f' },
];

/** `f` does what the act says; the rule's one func is all that looks. */
const matrix = (
  verb: string,
  label: string | undefined,
  ruleOf: (func: string) => string,
): Case[] =>
  FUNCS.flatMap((func) =>
    ACTS.map(({ name, content, step }) => ({
      name: `${verb} ${func}: ${name}`,
      rules: [ruleOf(func)],
      files: { f: { content, mode: 0o777, ...(label === undefined ? {} : { label }) } },
      steps: [step],
    })),
  );

const script = (name: string, more: Partial<Case>, labels: readonly [string, string]): Case => {
  const it: Case = { name, steps: ['run s'], ...more };
  const directory = name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
  const content = SCRIPT(directory);
  const labelled = (kind: string, of: string | Uint8Array) =>
    kind === 'good' ? { label: good(of) } : kind === 'wrong' ? { label: wrong } : {};
  return {
    ...it,
    files: {
      s: { content, mode: 0o777, ...labelled(labels[0], content) },
      i: { content: PROGRAM, mode: 0o777, ...labelled(labels[1], PROGRAM) },
    },
  };
};

const scripts: readonly Case[] = [
  script(
    'script and interpreter measured by BPRM',
    { rules: ['measure func=BPRM_CHECK fowner=$O'] },
    ['none', 'none'],
  ),
  script(
    'script and interpreter measured by CREDS',
    { rules: ['measure func=CREDS_CHECK fowner=$O'] },
    ['none', 'none'],
  ),
  script(
    'script and interpreter measured by FILE',
    { rules: ['measure func=FILE_CHECK fowner=$O'] },
    ['none', 'none'],
  ),
  script(
    'script and interpreter measured by MMAP',
    { rules: ['measure func=MMAP_CHECK fowner=$O'] },
    ['none', 'none'],
  ),
  script('script and interpreter audited', { rules: ['audit func=BPRM_CHECK fowner=$O'] }, [
    'none',
    'none',
  ]),
  script('script and interpreter appraised, both right', { rules: ['appraise fowner=$O'] }, [
    'good',
    'good',
  ]),
  script('script and interpreter appraised, the script wrong', { rules: ['appraise fowner=$O'] }, [
    'wrong',
    'good',
  ]),
  script(
    'script and interpreter appraised, the interpreter wrong',
    { rules: ['appraise fowner=$O'] },
    ['good', 'wrong'],
  ),
  script(
    'script and interpreter appraised by BPRM, the script wrong',
    { rules: ['appraise func=BPRM_CHECK fowner=$O'] },
    ['wrong', 'good'],
  ),
  script(
    'script and interpreter appraised by BPRM, the interpreter without',
    { rules: ['appraise func=BPRM_CHECK fowner=$O'] },
    ['good', 'none'],
  ),
  script(
    'script and interpreter appraised by CREDS, the script wrong',
    { rules: ['appraise func=CREDS_CHECK fowner=$O'] },
    ['wrong', 'good'],
  ),
  script(
    'script and interpreter appraised by CREDS, the interpreter wrong',
    { rules: ['appraise func=CREDS_CHECK fowner=$O'] },
    ['good', 'wrong'],
  ),
];

const FILE = { content: PROGRAM, mode: 0o777 };

/** What one hook found out, another one does or does not take for its own. */
const slots: readonly Case[] = [
  {
    name: 'FILE and BPRM appraised: read, then made wrong behind no one, then executed',
    rules: ['appraise func=FILE_CHECK fowner=$O', 'appraise func=BPRM_CHECK fowner=$O'],
    files: { f: { ...FILE, label: good(PROGRAM) } },
    steps: ['open! r f', 'run f', `setx f security.ima ${wrong}`, 'open! r f', 'run f'],
  },
  {
    name: 'only BPRM appraised: a wrong label is read, not executed',
    rules: ['appraise func=BPRM_CHECK fowner=$O'],
    files: { f: { ...FILE, label: wrong } },
    steps: ['open! r f', 'run f', 'open! r f', 'run f'],
  },
  {
    name: 'only FILE for reading appraised: a wrong label is executed, not read',
    rules: ['appraise func=FILE_CHECK mask=MAY_READ fowner=$O'],
    files: { f: { ...FILE, label: wrong } },
    steps: ['run f', 'open! r f', 'open! w f'],
  },
  {
    name: 'only CREDS appraised: a wrong label is read, not executed',
    rules: ['appraise func=CREDS_CHECK fowner=$O'],
    files: { f: { ...FILE, label: wrong } },
    steps: ['open! r f', 'run f'],
  },
  {
    name: 'only MMAP appraised: a text with a wrong label is read',
    rules: ['appraise func=MMAP_CHECK fowner=$O'],
    files: { f: { content: TEXT, label: wrong } },
    steps: ['open! r f , read'],
  },
  {
    name: 'BPRM appraised: a changed program',
    rules: ['appraise func=BPRM_CHECK fowner=$O'],
    files: { f: { ...FILE, label: good(PROGRAM) } },
    steps: ['run f', 'open! a f , write x , close', 'run f'],
  },
  {
    name: 'FILE and BPRM appraised: a changed program keeps its label right',
    rules: ['appraise func=FILE_CHECK fowner=$O', 'appraise func=BPRM_CHECK fowner=$O'],
    files: { f: { ...FILE, label: good(PROGRAM) } },
    steps: ['run f', 'open! a f , write x , close', 'run f'],
  },
  {
    name: 'an uid rule for BPRM: root may, a user may not',
    rules: ['appraise func=BPRM_CHECK uid=1000 fowner=$O'],
    files: { f: FILE },
    steps: ['run f', asUser('run f'), 'run f'],
  },
];

export const hooks: readonly Scene[] = [
  {
    name: 'hooks-measure',
    cases: [
      ...matrix('measure', undefined, (func) => `measure func=${func} fowner=$O`),
      ...scripts.slice(0, 5),
    ],
  },
  {
    name: 'hooks-appraise',
    cases: [
      ...matrix('appraise', wrong, (func) => `appraise func=${func} fowner=$O`),
      ...slots,
      ...scripts.slice(5),
    ],
  },
  {
    name: 'hooks-audit',
    cases: matrix('audit', undefined, (func) => `audit func=${func} fowner=$O`),
  },
];
