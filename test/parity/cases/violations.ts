/** Readers and writers at once: ToMToU and open_writers, once each while a file stays open. */
import { asUser, type Case, type Scene } from '../case.js';
import { good, PROGRAM, TEXT } from '../content.js';

const FILE = { content: TEXT };
const READ = 'open! r f , read , close';

const steps: readonly (readonly [string, ...string[]])[] = [
  ['a reader of a file that is open for writing', 'open! w f , open! r f'],
  ['two readers of a file that is open for writing', 'open! w f , open! r f , open! r f'],
  [
    'a reader, another user, of a file that is open for writing',
    'open! w f , as 1000 1000 , open! r f',
  ],
  ['a writer of a file that is open for reading', 'open! r f , open! w f'],
  ['two writers of a file that is open for reading', 'open! r f , open! w f , open! w f'],
  ['a writer that reads too, of a file that is open for reading', 'open! r f , open! rw f'],
  [
    'a writer, another user, of a file that is open for reading',
    'open! r f , as 1000 1000 , open! w f',
  ],
  ['an appender of a file that is open for reading', 'open! r f , open! a f'],
  ['a truncation by opening of a file that is open for reading', 'open! r f , open! wt f'],
  ['a truncation by path of a file that is open for reading', 'open! r f , truncate f 1'],
  ['reading and writing by one descriptor', 'open! rw f , read , write x'],
  ['a file opened twice for reading and writing', 'open! rw f , open! rw f'],
  ['a reader of a file that is open for reading and writing', 'open! rw f , open! r f'],
  ['a writer after the reader closed', 'open! r f , close , open! w f'],
  ['a reader after the writer closed', 'open! w f , write x , close , open! r f'],
  ['a writer while a mapping for reading lives', 'open! r f , mmap r s 10 , close , open! w f'],
  ['a reader while a mapping for writing lives', 'open! rw f , mmap rw s 10 , close , open! r f'],
  ['a writer of a file open by its path alone', 'open! p f , open! w f'],
  ['a reader by a reopened descriptor while it is open for writing', 'open! w f , reopen r'],
  ['a writer by a reopened descriptor while it is open for reading', 'open! r f , reopen w'],
  ['reader, writer, and reader', 'open! r f , open! w f , open! r f'],
  ['writer, reader, and writer', 'open! w f , open! r f , open! w f'],
  ['reader, writer that changes it, and reader', 'open! r f , open! w f , write x , open! r f'],
  [
    'ToMToU twice, with an end between',
    'open! r f , open! w f , close , use 0 , close',
    'open! r f , open! w f',
  ],
  [
    'ToMToU twice, with a change between',
    'open! r f , open! w f , write x , close , use 0 , close',
    'open! r f , open! w f',
  ],
  [
    'open_writers twice, with an end between',
    'open! w f , open! r f , close , use 0 , close',
    'open! w f , open! r f',
  ],
  [
    'open_writers twice, with a change between',
    'open! w f , open! r f , close , use 0 , write x , close',
    'open! w f , open! r f',
  ],
  ['measured before, then open_writers', READ, 'open! w f , open! r f'],
  ['measured before, then ToMToU', READ, 'open! r f , open! w f'],
  ['measured before, then only written', READ, 'open! w f , write x'],
  ['a writer of one name, a reader of the other', 'link f g', 'open! w f , open! r g'],
  ['a reader of one name, a writer of the other', 'link f g', 'open! r f , open! w g'],
  ['renamed while open for writing', 'open! w f , rename f g , open! r g'],
  ['unlinked while open for reading, written', 'open! r f , unlink f , reopen w'],
  [
    'a new file of that name while the old is open',
    'open! r f , rename f g , open! wc f , write x',
  ],
];

const of = (
  kind: string,
  rules: readonly string[],
  file: object,
  wanted: readonly (readonly [string, ...string[]])[] = steps,
): Case[] =>
  wanted.map(([name, ...its]) => ({
    name: `${kind}: ${name}`,
    rules,
    files: { f: { ...FILE, mode: 0o666, ...file } },
    steps: its,
  }));

const SOME = steps.slice(0, 9);

const execution: readonly Case[] = [
  {
    name: 'measured programs: executed while it is open for writing',
    rules: [
      'measure func=BPRM_CHECK fowner=$O',
      'measure func=FILE_CHECK mask=^MAY_EXEC fowner=$O',
    ],
    files: { f: { content: PROGRAM, mode: 0o777 } },
    steps: ['open! w f , run f'],
  },
  {
    name: 'measured programs: executed while it is open for reading',
    rules: ['measure func=BPRM_CHECK fowner=$O'],
    files: { f: { content: PROGRAM, mode: 0o777 } },
    steps: ['open! r f , run f', asUser('run f')],
  },
];

export const violations: readonly Scene[] = [
  {
    name: 'violations',
    cases: [
      ...of('measured reads', ['measure func=FILE_CHECK mask=MAY_READ fowner=$O'], {}),
      ...of('measured opens', ['measure func=FILE_CHECK fowner=$O'], {}),
      ...of(
        'measured and appraised',
        ['measure func=FILE_CHECK mask=^MAY_READ fowner=$O', 'appraise fowner=$O'],
        { label: good() },
      ),
      ...of('not measured', ['dont_measure fowner=$O'], {}, SOME),
      ...of(
        'measured by uid 1000 only',
        ['measure func=FILE_CHECK mask=^MAY_READ uid=1000 fowner=$O'],
        {},
        SOME,
      ),
      ...of(
        'with another template',
        ['measure func=FILE_CHECK mask=^MAY_READ fowner=$O template=ima-sig pcr=11'],
        { label: good() },
        SOME,
      ),
      ...of(
        'with the old template',
        ['measure func=FILE_CHECK mask=^MAY_READ fowner=$O template=ima'],
        {},
        SOME,
      ),
      ...execution,
    ],
  },
];
