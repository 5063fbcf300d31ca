/** Policies that are loaded by writing the path of a file. */
import type { Case } from '../case.js';

const POLICY = '$IMA/policy';

/** A file of rules outside of what the scene's rules look at. */
const file = (content: string): NonNullable<Case['files']> => ({
  f: { content, owner: 0, mode: 0o600 },
});

export const policyPaths: readonly Case[] = [
  {
    name: 'a policy by its path',
    files: file('measure fowner=11\n# comment\n\nmeasure fowner=12\n'),
    steps: [`open! w ${POLICY} , write /mnt/$D/f%0a , close`, `! tail -n 2 ${POLICY}`],
  },
  {
    name: 'a bad policy by its path',
    files: file('measure fowner=13\nbogus\n'),
    steps: [`open! w ${POLICY} , write /mnt/$D/f%0a , close`, `! tail -n 1 ${POLICY}`],
  },
  {
    name: 'an empty policy by its path',
    files: file(''),
    steps: [`open! w ${POLICY} , write /mnt/$D/f%0a , close`],
  },
  {
    name: 'a policy of comments by its path',
    files: file('# one\n# two\n'),
    steps: [`open! w ${POLICY} , write /mnt/$D/f%0a , close`],
  },
  {
    name: 'a policy without a newline by its path',
    files: file('measure fowner=14'),
    steps: [`open! w ${POLICY} , write /mnt/$D/f%0a , close`, `! tail -n 1 ${POLICY}`],
  },
  {
    name: 'two policies by their paths',
    files: {
      f: { content: 'measure fowner=15\n', owner: 0 },
      g: { content: 'measure fowner=16\n', owner: 0 },
    },
    steps: [
      `open! w ${POLICY} , write /mnt/$D/f%0a , write /mnt/$D/g%0a , close`,
      `! tail -n 2 ${POLICY}`,
    ],
  },
  {
    name: 'a policy by its path and a rule',
    files: file('measure fowner=17\n'),
    steps: [
      `open! w ${POLICY} , write /mnt/$D/f%0a , write measure%20fowner=18%0a , close`,
      `! tail -n 2 ${POLICY}`,
    ],
  },
  {
    name: 'a rule and a policy by its path',
    files: file('measure fowner=19\n'),
    steps: [
      `open! w ${POLICY} , write measure%20fowner=20%0a , write /mnt/$D/f%0a , close`,
      `! tail -n 2 ${POLICY}`,
    ],
  },
  {
    name: 'a policy that names another by its path',
    files: {
      f: { content: '/mnt/a-policy-that-names-another-by-its-path/g\n', owner: 0 },
      g: { content: 'measure fowner=21\n', owner: 0 },
    },
    steps: [`open! w ${POLICY} , write /mnt/$D/f%0a , close`, `! tail -n 1 ${POLICY}`],
  },
  {
    name: 'a policy by a symbolic link',
    files: file('measure fowner=22\n'),
    steps: [
      'symlink f l',
      `open! w ${POLICY} , write /mnt/$D/l%0a , close`,
      `! tail -n 1 ${POLICY}`,
    ],
  },
  {
    name: 'a policy by a path without a newline',
    files: file('measure fowner=23\n'),
    steps: [`open! w ${POLICY} , write /mnt/$D/f , close`, `! tail -n 1 ${POLICY}`],
  },
  {
    name: 'a policy that nobody may read, by its path',
    files: { f: { content: 'measure fowner=24\n', owner: 0, mode: 0 } },
    steps: [`open! w ${POLICY} , write /mnt/$D/f%0a , close`, `! tail -n 1 ${POLICY}`],
  },
  {
    name: 'a policy that is measured by its path',
    files: { f: { content: 'measure fowner=25\n' } },
    rules: ['measure func=POLICY_CHECK fowner=$O'],
    steps: [`open! w ${POLICY} , write /mnt/$D/f%0a , close`, `! tail -n 1 ${POLICY}`],
  },
  {
    name: 'a policy that is audited by its path',
    files: { f: { content: 'measure fowner=26\n' } },
    rules: ['audit func=POLICY_CHECK fowner=$O'],
    steps: [`open! w ${POLICY} , write /mnt/$D/f%0a , close`],
  },
];
