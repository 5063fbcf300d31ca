/** The ELF interpreter is no program of its own, and nothing else may pass for it. */
import assert from 'node:assert/strict';

import { useImafs } from '../helpers/imafs.js';
import { buildHello, dynamicLoader, program } from '../helpers/programs.js';

const imafs = useImafs({ policy: ['appraise func=BPRM_CHECK'] });

imafs.test('a program runs with an interpreter that only BPRM_CHECK would refuse', async () => {
  const loader = imafs.putProgram('loader', dynamicLoader(), { label: 'none' });
  buildHello(imafs.behind('dynamic'), loader);
  imafs.own('dynamic', { mode: 0o755 });
  assert.deepEqual(await imafs.system.xt(`run ${imafs.at('dynamic')}`), ['hello', 'run=ok exit 0']);
});

imafs.test("an unlabelled program of the interpreter's name is still a program", async () => {
  const loader = imafs.putProgram('ld.so', dynamicLoader(), { label: 'none' });
  buildHello(imafs.behind('program'), loader);
  imafs.own('program', { mode: 0o755 });
  await imafs.system.ok(['mkdir', imafs.at('elsewhere')]);
  const other = imafs.putProgram('elsewhere/ld.so', program('exit-bad'), { label: 'none' });
  assert.deepEqual(await imafs.system.xt(`run ${other}`), ['run=EACCES']);
  // The interpreter lies elsewhere: the expectation is for its path, and for the very next exec.
  assert.deepEqual(await imafs.system.xt(`run ${imafs.at('program')} , run ${other}`), [
    'hello',
    'run=ok exit 0',
    'run=EACCES',
  ]);
});
