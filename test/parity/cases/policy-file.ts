/** Writing and reading `policy` itself: who may, when, how much of a write is taken, and what an end without a policy says. */
import { asUser, type Case, type Scene } from '../case.js';
import { policyPaths } from './policy-paths.js';

const RULE = 'measure%20func=FILE_CHECK%20fowner=4';
const POLICY = '$IMA/policy';

const LINES: readonly (Case & { readonly line: string })[] = [
  {
    name: 'two rules by one write',
    line: 'two',
    steps: [`open! w ${POLICY} , write ${RULE}%0a${RULE}%0a , write $D%0a , close`],
  },
  {
    name: 'two rules by two writes',
    line: 'two writes',
    steps: [`open! w ${POLICY} , write ${RULE}%0a , write ${RULE}%0a , write $D%0a , close`],
  },
  {
    name: 'a rule without a newline',
    line: 'no newline',
    steps: [`open! w ${POLICY} , write ${RULE} , write $D%0a , close`],
  },
  {
    name: 'a rule in two writes',
    line: 'halves',
    steps: [
      `open! w ${POLICY} , write measure%20func= , write FILE_CHECK%0a , write $D%0a , close`,
    ],
  },
  {
    name: 'a rule after a bad one',
    line: 'after bad',
    steps: [`open! w ${POLICY} , write bogus%0a , write ${RULE}%0a , write $D%0a , close`],
  },
  {
    name: 'an empty line by itself',
    line: 'empty line',
    steps: [`open! w ${POLICY} , write %0a , write $D%0a , close`],
  },
  {
    name: 'newlines before a rule',
    line: 'newlines',
    steps: [`open! w ${POLICY} , write %0a%0a${RULE}%0a , write $D%0a , close`],
  },
  {
    name: 'nothing by a write',
    line: 'nothing',
    steps: [`open! w ${POLICY} , write  , write $D%0a , close`],
  },
  {
    name: 'a write at an offset',
    line: 'offset',
    steps: [`open! w ${POLICY} , pwrite 5 ${RULE}%0a , write $D%0a , close`],
  },
  {
    name: 'a write at offset 0 after another',
    line: 'offset 0',
    steps: [`open! w ${POLICY} , write ${RULE}%0a , pwrite 0 ${RULE}%0a , write $D%0a , close`],
  },
  {
    name: 'a file that is not there',
    line: 'no file',
    steps: [`open! w ${POLICY} , write /nowhere%0a , write $D%0a , close`],
  },
  {
    name: 'a directory for a file',
    line: 'directory',
    steps: [`open! w ${POLICY} , write /tmp%0a , write $D%0a , close`],
  },
  {
    name: 'a device for a file',
    line: 'device',
    steps: [`open! w ${POLICY} , write /dev/null%0a , write $D%0a , close`],
  },
  {
    name: 'a relative path',
    line: 'relative',
    steps: [`open! w ${POLICY} , write tmp/f%0a , write $D%0a , close`],
  },
  {
    name: 'a blank before a path',
    line: 'blank path',
    steps: [`open! w ${POLICY} , write %20/nowhere%0a , write $D%0a , close`],
  },
  {
    name: 'a blank behind a path',
    line: 'path blank',
    steps: [`open! w ${POLICY} , write /nowhere%20%0a , write $D%0a , close`],
  },
  {
    name: 'a write by a duplicate',
    line: 'dup',
    steps: [`open! w ${POLICY} , dup , write ${RULE}%0a , close , use 0 , write $D%0a , close`],
  },
  {
    name: 'opened to append',
    line: 'append',
    steps: [`open! a ${POLICY} , write ${RULE}%0a , write $D%0a , close`],
  },
  {
    name: 'opened to truncate',
    line: 'truncate',
    steps: [`open! wt ${POLICY} , write ${RULE}%0a , write $D%0a , close`],
  },
  { name: 'opened for reading and writing', line: 'rw', steps: [`open! rw ${POLICY}`] },
  { name: 'opened for writing by a user', line: 'user', steps: [asUser(`open! w ${POLICY}`)] },
  {
    name: 'opened for reading by a user',
    line: 'user reads',
    steps: [asUser(`open! r ${POLICY}`)],
  },
  {
    name: 'opened twice for writing',
    line: 'twice',
    steps: [`open! w ${POLICY} , open w ${POLICY} , write $D%0a , close`],
  },
  {
    name: 'opened for reading while open for writing',
    line: 'read while',
    steps: [`open! w ${POLICY} , open r ${POLICY} , use 0 , write $D%0a , close`],
  },
  {
    name: 'opened for writing while open for reading',
    line: 'write while',
    steps: [`open! r ${POLICY} , open w ${POLICY} , write $D%0a , close`],
  },
  {
    name: 'opened for writing again after the end',
    line: 'again',
    steps: [`open! w ${POLICY} , write bogus%0a , close , open! w ${POLICY} , write $D%0a , close`],
  },
  { name: 'opened and closed', line: 'closed', steps: [`open! w ${POLICY} , close`] },
  {
    name: 'a comment alone',
    line: 'comment',
    steps: [`open! w ${POLICY} , write %23%20comment%0a , close`],
  },
  { name: 'a bad rule alone', line: 'bad', steps: [`open! w ${POLICY} , write bogus%0a , close`] },
  {
    name: 'a rule that is loaded',
    line: 'loaded',
    steps: [`open! w ${POLICY} , write ${RULE}%0a , close`, `! tail -n 1 ${POLICY}`],
  },
  {
    name: 'two rules that are loaded',
    line: 'two loaded',
    steps: [
      `open! w ${POLICY} , write ${RULE}1%0a , write ${RULE}2%0a , close`,
      `! tail -n 2 ${POLICY}`,
    ],
  },
  {
    name: 'a rule without a newline that is loaded',
    line: 'no newline loaded',
    steps: [`open! w ${POLICY} , write ${RULE}3 , close`, `! tail -n 1 ${POLICY}`],
  },
  {
    name: 'rules by cat',
    line: 'cat',
    steps: [
      `! printf 'measure fowner=5\\nmeasure fowner=6\\n' | cat > ${POLICY}`,
      `! tail -n 2 ${POLICY}`,
    ],
  },
  {
    name: 'rules by echo',
    line: 'echo',
    steps: [`! echo measure fowner=7 > ${POLICY}`, `! tail -n 1 ${POLICY}`],
  },
  {
    name: 'a bad rule by echo',
    line: 'bad echo',
    steps: [`! echo bogus > ${POLICY} 2>/dev/null || echo refused`],
  },
  {
    name: 'a rule and a comment that are loaded',
    line: 'rule and comment',
    steps: [
      `open! w ${POLICY} , write ${RULE}8%0a , write %23%20x%0a , close`,
      `! tail -n 1 ${POLICY}`,
    ],
  },
  { name: 'the policy cannot be unlinked', line: 'unlink', steps: [`unlink ${POLICY}`] },
  {
    name: 'the policy cannot be truncated by path',
    line: 'truncated',
    steps: [`truncate ${POLICY} 0`],
  },
  {
    name: 'the lists cannot be written',
    line: 'lists',
    steps: [
      'open w $IMA/ascii_runtime_measurements',
      'open w $IMA/violations',
      'open rw $IMA/runtime_measurements_count',
    ],
  },
  {
    name: 'the lists are not for users',
    line: 'lists user',
    steps: [
      asUser(
        'open r $IMA/ascii_runtime_measurements , open r $IMA/binary_runtime_measurements , open r $IMA/violations , open r $IMA/runtime_measurements_count',
      ),
    ],
  },
  {
    name: 'no file is made beside the policy',
    line: 'made',
    steps: ['open wc $IMA/other', 'mkdir $IMA/d 755', 'symlink x $IMA/l'],
  },
  {
    name: 'violations begin at none',
    line: 'violations',
    steps: ['open! r $IMA/violations , read'],
  },
];

export const policyFile: readonly Scene[] = [
  { name: 'policy-file', rules: ['dont_appraise'], cases: [...LINES, ...policyPaths] },
];
