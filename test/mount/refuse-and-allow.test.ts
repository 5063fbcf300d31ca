import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { unlinkSync } from 'node:fs';

import { causesOf } from '../helpers/audit-lines.js';
import { PROTECTED, useImafs } from '../helpers/imafs.js';
import { digestOf, labelFile, labelFor, setLabel } from '../helpers/label.js';
import { buildHello, dynamicLoader, program } from '../helpers/programs.js';
import { skipUnless } from '../helpers/skip.js';

const imafs = useImafs({ policy: [`appraise fowner=${PROTECTED}`] });

for (const [who, uid] of [
  ['root', 0],
  ['the owner', PROTECTED],
] as const) {
  imafs.test(`reading an unlabelled file is refused to ${who}`, async () => {
    const file = imafs.put(`unlabelled-${uid}`, 'text\n', { label: 'none' });
    assert.deepEqual(await imafs.system.xt(`open r ${file}`, { uid }), ['open=EACCES']);
    assert.deepEqual(causesOf(imafs.auditLines(), `unlabelled-${uid}`), ['missing-hash']);
  });

  imafs.test(`reading a labelled file is allowed to ${who}`, async () => {
    const file = imafs.put(`labelled-${uid}`, 'text\n');
    assert.deepEqual(await imafs.system.xt(`open r ${file} , read`, { uid }), [
      'open=ok',
      'read=ok 5 text',
    ]);
  });

  imafs.test(`executing an ELF program needs a label for ${who}`, async () => {
    const plain = imafs.putProgram(`elf-plain-${uid}`, program('exit-good'), { label: 'none' });
    const good = imafs.putProgram(`elf-good-${uid}`, program('exit-good'));
    const bad = imafs.putProgram(`elf-bad-${uid}`, program('exit-good'), {
      label: labelFor('other'),
    });
    const results = await imafs.system.xt(`run ${plain} , run ${good} , run ${bad}`, { uid });
    assert.deepEqual(results, ['run=EACCES', 'run=ok exit 0', 'run=EACCES']);
  });
}

imafs.test('a file of another owner is no business of the policy', async () => {
  const file = imafs.put('root-file', 'text\n', { label: 'none', owner: 0 });
  assert.deepEqual(await imafs.system.xt(`open r ${file}`), ['open=ok']);
});

imafs.test('a script needs a label, executed or read by its shell', async () => {
  const script = imafs.put('script', '#!/bin/sh\nexit 7\n', { label: 'none', mode: 0o755 });
  const run = `run ${script} , run /bin/sh ${script}`;
  const [executed, read] = await imafs.system.xt(run);
  assert.equal(executed, 'run=EACCES');
  assert.match(read ?? '', /^run=ok exit (2|126)$/);
  labelFile(imafs.behind('script'));
  assert.deepEqual(await imafs.system.xt(run), ['run=ok exit 7', 'run=ok exit 7']);
});

imafs.test(
  "a labelled script is refused when its '#!' interpreter below the mount has no label",
  async () => {
    const interpreter = imafs.putProgram('interpreter', program('exit-good'), { label: 'none' });
    const script = imafs.put('script-of-ours', `#!${interpreter}\n`, { mode: 0o755 });
    assert.deepEqual(await imafs.system.xt(`run ${script}`), ['run=EACCES']);
    labelFile(imafs.behind('interpreter'));
    assert.deepEqual(await imafs.system.xt(`run ${script}`), ['run=ok exit 0']);
  },
);

imafs.test(
  'a labelled program is refused when its dynamic loader below the mount has no label',
  async () => {
    const loader = imafs.putProgram('loader', dynamicLoader(), { label: 'none' });
    buildHello(imafs.behind('dynamic'), loader);
    imafs.own('dynamic', { mode: 0o755 });
    assert.deepEqual(await imafs.system.xt(`run ${imafs.at('dynamic')}`), ['run=EACCES']);
    labelFile(imafs.behind('loader'));
    assert.deepEqual(await imafs.system.xt(`run ${imafs.at('dynamic')}`), [
      'hello',
      'run=ok exit 0',
    ]);
  },
);

imafs.test('a file can be mapped for execution only with a label', async () => {
  const plain = imafs.putProgram('map-plain', program('exit-good'), { label: 'none' });
  const good = imafs.putProgram('map-good', program('exit-good'));
  assert.deepEqual(await imafs.system.xt(`open r ${plain}`), ['open=EACCES']);
  const mapped = await imafs.system.xt(`open r ${good} , mmap rx p 4096`);
  assert.deepEqual(mapped, ['open=ok', 'mmap=ok']);
});

imafs.test('labelling through the mount with setfattr takes effect at the next open', async () => {
  const file = imafs.put('late', 'late\n', { label: 'none' });
  assert.deepEqual(await imafs.system.xt(`open r ${file}`), ['open=EACCES']);
  await imafs.system.ok(['setfattr', '-n', 'security.ima', '-v', `0x${labelFor('late\n')}`, file]);
  assert.deepEqual(await imafs.system.xt(`open r ${file}`), ['open=ok']);
  await imafs.system.ok(['setfattr', '-x', 'security.ima', file]);
  assert.deepEqual(await imafs.system.xt(`open r ${file}`), ['open=EACCES']);
});

imafs.test(
  'evmctl ima_hash through the mount of a file still unlabelled reads it behind, then it is allowed',
  async () => {
    const file = imafs.put('by-evmctl', 'evm\n', { label: 'none' });
    execFileSync('evmctl', ['ima_hash', '-a', 'sha256', imafs.behind('by-evmctl')], {
      stdio: 'ignore',
    });
    assert.deepEqual(await imafs.system.xt(`open r ${file}`), ['open=ok']);
  },
  { skip: skipUnless('evmctl', 'package ima-evm-utils') },
);

imafs.test('the form of the 2017 README, 0x04 and the digest, is an invalid hash', async () => {
  const file = imafs.put('readme', 'text\n', { label: `04${digestOf('text\n')}` });
  assert.deepEqual(await imafs.system.xt(`open r ${file}`), ['open=EACCES']);
  assert.deepEqual(causesOf(imafs.auditLines(), 'readme'), ['invalid-hash']);
  setLabel(imafs.behind('readme'), `0404${digestOf('text\n')}`);
  assert.deepEqual(await imafs.system.xt(`open r ${file}`), ['open=ok']);
});

imafs.test(
  'a refused file can still be looked at, listed, its xattrs read, and removed',
  async () => {
    const label = labelFor('other');
    const file = imafs.put('refused', 'text\n', { label });
    const results = await imafs.system.xt(
      `open r ${file} , stat ${file} , getx ${file} security.ima , list ${imafs.mountpoint} refused , unlink ${file}`,
    );
    assert.equal(results[0], 'open=EACCES');
    assert.match(results[1] ?? '', /^stat=ok mode=100644 uid=1000 .* size=5$/);
    assert.equal(results[2], `getx=ok ${label}`);
    assert.match(results[3] ?? '', /found$/);
    assert.equal(results[4], 'unlink=ok');
    assert.throws(() => {
      unlinkSync(imafs.behind('refused'));
    }, /ENOENT/);
  },
);

imafs.test('O_PATH opens nothing and is not judged', async () => {
  const file = imafs.put('only-path', 'text\n', { label: 'none' });
  assert.deepEqual(await imafs.system.xt(`open p ${file} , reopen r`), [
    'open=ok',
    'reopen=EACCES',
  ]);
});

imafs.test('execveat of a descriptor is judged as an execution', async () => {
  const plain = imafs.putProgram('fexec-plain', program('exit-bad'), { label: 'none' });
  assert.deepEqual(await imafs.system.xt(`open p ${plain} , fexec`), ['open=ok', 'fexec=EACCES']);
});
