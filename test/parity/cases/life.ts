/**
 * What becomes of security.ima, and of what was found out, while files are made, written, moved and
 * given other attributes. Each under a rule that matches writing, and under one that does not.
 */

import { digestOf } from '../../helpers/label.js';
import { asUser, type Case, type Scene } from '../case.js';
import { good, labelBy, PROGRAM, SIGNATURE, TEXT, wrong } from '../content.js';
import { type Life, NEW_FILES } from './new-files.js';

const READ = 'open! r f , read';
const SHA1 = `01${digestOf(TEXT, 'sha1')}`;

const LIVES: readonly Life[] = [
  { name: 'written', steps: ['open! w f , write changed , close', READ] },
  { name: 'written by a user', steps: [asUser('open! w f , write changed , close'), READ] },
  { name: 'appended to', steps: ['open! a f , write more , close', READ] },
  {
    name: 'appended to three times',
    steps: [
      'open! a f , write a , close',
      'open! a f , write b , close',
      'open! a f , write c , close',
      READ,
    ],
  },
  { name: 'truncated and written', steps: ['open! wt f , write new , close', READ] },
  { name: 'truncated by opening', steps: ['open! wt f , close', READ] },
  { name: 'truncated by path', steps: ['truncate f 3', READ] },
  { name: 'truncated by path to nothing', steps: ['truncate f 0', READ] },
  { name: 'truncated by path to its own size', steps: ['truncate f 10', READ] },
  { name: 'truncated by path to be longer', steps: ['truncate f 20', READ] },
  { name: 'read, then truncated by path', steps: [READ, 'truncate f 3', READ] },
  { name: 'truncated by a descriptor', steps: ['open! w f , ftruncate 3 , close', READ] },
  { name: 'truncated by a user', steps: [asUser('truncate f 3'), READ] },
  { name: 'extended by fallocate', steps: ['open! w f , fallocate 0 0 100 , close', READ] },
  { name: 'a hole punched', steps: ['open! w f , fallocate 3 0 4 , close', READ] },
  { name: 'opened for writing and closed', steps: ['open! w f , close', READ] },
  { name: 'opened for reading and writing, only read', steps: ['open! rw f , read , close', READ] },
  { name: 'written with the same bytes', steps: ['open! w f , write some , close', READ] },
  {
    name: 'written through a mapping',
    steps: ['open! rw f , mmap rw s 10 , store 0 SOME , munmap , close', READ],
  },
  {
    name: 'written through a mapping closed first',
    steps: ['open! rw f , mmap rw s 10 , close , store 0 SOME , munmap', READ],
  },
  {
    name: 'written through a private mapping',
    steps: ['open! rw f , mmap rw p 10 , store 0 SOME , munmap , close', READ],
  },
  {
    name: 'written by copy_file_range',
    steps: [
      'open! wc g , write other , close',
      'open! r g , open! w f , copyrange 0 5 , close',
      READ,
    ],
    makes: ['g'],
  },
  {
    name: 'written while read, before the end',
    steps: ['open! w f , write changed , open! r f , read', READ],
  },
  {
    name: 'read, then written while read',
    steps: [`${READ} , open! w f , write changed , open! r f , read`, READ],
  },
  {
    name: 'written by two writers',
    steps: [
      'open! w f , open! a f , write b , close , getx f security.ima , use 0 , write a , close',
      READ,
    ],
  },
  {
    name: 'written by one of two writers',
    steps: ['open! w f , open! w f , write b , close , use 0 , close', READ],
  },
  {
    name: 'written through a duplicate',
    steps: ['open! w f , dup , write b , close , use 0 , close', READ],
  },
  { name: 'written by a child', steps: ['open! w f , fork , write b , end , join , close', READ] },
  {
    name: 'written through a second name',
    steps: ['link f g', 'open! w g , write changed , close', READ],
    makes: ['g'],
  },
  {
    name: 'written and renamed while open',
    steps: ['open! w f , write changed , rename f g , close', 'open! r g , read'],
    makes: ['g'],
  },
  { name: 'renamed', steps: ['rename f g', 'open! r g , read'], makes: ['g'] },
  {
    name: 'another renamed over it',
    steps: ['open! wc g , write new , close , chown g $O $O', 'rename g f', READ],
  },
  {
    name: 'exchanged with another',
    steps: ['open! wc g , write new , close', 'rename f g exchange', READ],
    makes: ['g'],
  },
  { name: 'given another mode', steps: [READ, 'chmod f 600', READ] },
  {
    name: 'given another owner and back',
    steps: [READ, 'chown f 5 5', READ, 'chown f $O $O', READ],
  },
  {
    name: 'given to an owner of no rule while open, then written',
    steps: ['open! w f , chown f 5 5 , write changed , close', READ],
  },
  {
    name: 'given to an owner of no rule while open, written, and given back',
    steps: ['open! w f , chown f 5 5 , write changed , chown f $O $O , close', READ],
  },
  {
    name: 'given to an owner of no rule while open, and given back after the end',
    steps: ['open! w f , chown f 5 5 , write changed , close', 'chown f $O $O', READ],
  },
  {
    name: 'given another group while open, then written',
    steps: ['open! w f , chown f -1 7 , write changed , close', READ],
  },
  {
    name: 'given another mode while open, then written',
    steps: ['open! w f , chmod f 600 , write changed , close', READ],
  },
  {
    name: 'given another mode while open, read, then written',
    steps: ['open! w f , chmod f 600 , open! r f , read , use 0 , write changed , close', READ],
  },
  {
    name: 'given another mode between being written and read by its writer',
    steps: ['open! w f , write changed , chmod f 600 , open! r f , read', READ],
  },
  {
    name: 'read, then given another mode between being written and read by its writer',
    steps: [`${READ} , open! w f , write changed , chmod f 600 , open! r f , read`, READ],
  },
  {
    name: 'given other times between being written and read by its writer',
    steps: [`${READ} , open! w f , write changed , utimens f 1 0 1 0 , open! r f , read`, READ],
  },
  {
    name: 'truncated by its writer before that reads it',
    steps: [`${READ} , open! w f , ftruncate 3 , open! r f , read`, READ],
  },
  {
    name: 'given to an owner of no rule and back while open, then written',
    steps: ['open! w f , chown f 5 5 , chown f $O $O , write changed , close', READ],
  },
  {
    name: 'given to an owner of no rule after a read, while open, and read again',
    steps: [`open! w f , write changed , ${READ} , chown f 5 5 , open! r f , read`, READ],
  },
  { name: 'given other times', steps: [READ, 'utimens f 1 0 1 0', READ] },
  { name: 'given another attribute', steps: [READ, 'setx f user.x 01', READ] },
  { name: 'given a wrong label', steps: [READ, `setx f security.ima ${wrong}`, READ] },
  {
    name: 'given a wrong label and the right one again',
    steps: [READ, `setx f security.ima ${wrong}`, READ, `setx f security.ima ${good()}`, READ],
  },
  {
    name: 'given the right label by SHA-512',
    steps: [READ, `setx f security.ima ${labelBy('sha512')}`, READ],
  },
  { name: 'given a signature', steps: [READ, `setx f security.ima ${SIGNATURE}`, READ] },
  { name: 'deprived of its label', steps: [READ, 'rmx f security.ima', READ] },
  {
    name: 'deprived of its label and written',
    steps: [READ, 'rmx f security.ima', 'open! w f , write changed , close', READ],
  },
  {
    name: 'given a wrong label while open, then written',
    steps: [`open! w f , setx f security.ima ${wrong} , write x , close`, READ],
  },
  {
    name: 'deprived of its label while open, then written',
    steps: ['open! w f , rmx f security.ima , write x , close', READ],
  },
  { name: 'given a label by a user', steps: [asUser(`setx f security.ima ${wrong}`), READ] },
  { name: 'deprived of its label by a user', steps: [asUser('rmx f security.ima'), READ] },
  { name: 'unlinked', steps: ['unlink f', READ] },
  { name: 'unlinked while open, written', steps: ['open! rw f , unlink f , write x , close'] },
  {
    name: 'made anew under its name',
    steps: ['unlink f', 'open! wcx f , write new , close , chown f $O $O', READ],
  },
  {
    name: 'with a wrong label, written',
    label: wrong,
    steps: ['open! w f , write x , close', READ],
  },
  {
    name: 'with a wrong label, truncated',
    label: wrong,
    steps: ['open! wt f , write x , close', READ],
  },
  { name: 'with a wrong label, truncated by path', label: wrong, steps: ['truncate f 3', READ] },
  {
    name: 'with a wrong label that fits after the change',
    label: good(TEXT.slice(0, 4)),
    steps: ['truncate f 4', READ],
  },
  {
    name: 'without a label, written',
    label: undefined,
    steps: ['open! w f , write x , close', READ],
  },
  {
    name: 'without a label, truncated',
    label: undefined,
    steps: ['open! wt f , write x , close', READ],
  },
  {
    name: 'with a SHA-1 of type 01, written',
    label: SHA1,
    steps: ['open! w f , write x , close', READ],
  },
  {
    name: 'with an MD5 of type 01, written',
    label: `01${digestOf(TEXT, 'md5')}`,
    steps: ['open! w f , write x , close', READ],
  },
  {
    name: 'with a SHA-512, written',
    label: labelBy('sha512'),
    steps: ['open! w f , write x , close', READ],
  },
  {
    name: 'with a SHA-256 and bytes behind, written',
    label: `${good()}aabb`,
    steps: ['open! w f , write x , close', READ],
  },
  { name: 'with a signature, opened for writing', label: SIGNATURE, steps: ['open! w f', READ] },
  { name: 'with a signature, truncated by path', label: SIGNATURE, steps: ['truncate f 3', READ] },
  {
    name: 'with a signature, renamed and unlinked',
    label: SIGNATURE,
    steps: ['rename f g', 'unlink g'],
  },
  {
    name: 'empty without a label',
    label: undefined,
    content: '',
    steps: [READ, 'open! w f , write x , close', READ],
  },
  {
    name: 'empty with its label',
    label: good(''),
    content: '',
    steps: [READ, 'open! w f , write x , close', READ],
  },
  {
    name: 'empty with a signature, written',
    label: SIGNATURE,
    content: '',
    steps: ['open! w f , write x , close', READ],
  },
];

const lives = (kind: string, rules: readonly string[]): Case[] => [
  ...LIVES.map(
    ({ name, content = TEXT, steps, makes = [], ...more }): Case => ({
      name: `${kind}: ${name}`,
      rules,
      files: {
        f: {
          content,
          mode: 0o666,
          ...('label' in more
            ? more.label === undefined
              ? {}
              : { label: more.label }
            : { label: good(content) }),
        },
      },
      steps,
      makes,
    }),
  ),
  ...NEW_FILES.map(
    ({ name, steps }): Case => ({
      name: `${kind}: ${name}`,
      rules,
      files: { f: { content: PROGRAM, mode: 0o755, label: good(PROGRAM) } },
      steps,
      makes: ['g'],
    }),
  ),
];

const READS = 'appraise func=FILE_CHECK mask=MAY_READ fowner=$O';

export const life: readonly Scene[] = [
  {
    name: 'life',
    cases: [
      ...lives('appraised', ['appraise fowner=$O']),
      ...lives('appraised when read', [READS]),
      ...lives('hashed', ['hash fowner=$O']),
      ...lives('hashed, and appraised when read', ['hash fowner=$O', READS]),
    ],
  },
  { name: 'life-log', mode: 'log', cases: lives('log, appraised', ['appraise fowner=$O']) },
  { name: 'life-fix', mode: 'fix', cases: lives('fix, appraised', ['appraise fowner=$O']) },
];
