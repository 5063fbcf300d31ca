/** Backing file systems that cannot do everything: what they lack must cost no check. */
import assert from 'node:assert/strict';
import { describe } from 'node:test';

import { causesOf } from '../helpers/audit-lines.js';
import { type Imafs, PROTECTED, useImafs } from '../helpers/imafs.js';
import { labelFor } from '../helpers/label.js';
import { program } from '../helpers/programs.js';
import { IMAFS } from '../helpers/project.js';
import { skipUnless } from '../helpers/skip.js';

const RULE = `appraise fowner=${PROTECTED}`;

/** Makes a file on a backing that only the system's namespace sees. */
async function put(
  imafs: Imafs,
  name: string,
  text: string,
  label = labelFor(text),
): Promise<string> {
  await imafs.shell(
    `printf '${text}' > $BACKING/${name}; chown ${PROTECTED} $BACKING/${name}; ` +
      (label === '' ? '' : `setfattr -n security.ima -v 0x${label} $BACKING/${name}`),
  );
  return imafs.at(name);
}

async function labelOf(imafs: Imafs, name: string): Promise<string> {
  return imafs.shell(
    `getfattr --only-values -n security.ima $BACKING/${name} | od -An -v -tx1 | tr -d ' \\n'`,
  );
}

const overlay = `mkdir $ROOT/lower $ROOT/upper $ROOT/work; chmod 777 $ROOT/lower $ROOT/upper;
  mount -t overlay overlay -o lowerdir=$ROOT/lower,upperdir=$ROOT/upper,workdir=$ROOT/work $BACKING`;
const hasOverlay = skipUnless('overlayfs', 'the kernel was built without it');

describe('overlayfs, whose leases do not speak for the files below', { skip: hasOverlay }, () => {
  const imafs = useImafs({ policy: [RULE], prepare: overlay });

  imafs.test('has neither leases nor passthrough', async () => {
    const { mount } = (await imafs.status()) as { mount: { transport: Record<string, unknown> } };
    assert.deepEqual([mount.transport['leases'], mount.transport['passthrough']], [false, 'off']);
    const doctor = await imafs.system.run([...IMAFS, 'doctor']);
    assert.match(doctor.stdout, /leases say nothing about its backing/);
  });

  imafs.test('labelled files are served, others are refused', async () => {
    const [good, bad] = [await put(imafs, 'good', 'text'), await put(imafs, 'bad', 'text', '')];
    assert.deepEqual(await imafs.system.xt(`open r ${good} , read , open r ${bad}`), [
      'open=ok',
      'read=ok 4 text',
      'open=EACCES',
    ]);
    assert.deepEqual(causesOf(imafs.auditLines(), 'bad'), ['missing-hash']);
  });

  imafs.test('what was written has its label when close returns', async () => {
    const file = await put(imafs, 'written', 'text');
    for (let round = 0; round < 20; round++) {
      await imafs.system.xt(`open wt ${file} , write round-${round} , close`);
      assert.equal(await labelOf(imafs, 'written'), labelFor(`round-${round}`));
    }
  });

  imafs.test('a file that lies in the lower layer is copied up, labelled and served', async () => {
    await imafs.shell('printf below > $ROOT/lower/copied');
    await imafs.shell(`chown ${PROTECTED} $BACKING/copied`);
    await imafs.shell(`setfattr -n security.ima -v 0x${labelFor('below')} $BACKING/copied`);
    const file = imafs.at('copied');
    const results = await imafs.system.xt(
      `open wa ${file} , write +above , close , open r ${file} , read`,
    );
    assert.deepEqual(results.slice(3), ['open=ok', 'read=ok 11 below+above']);
  });

  imafs.test('two writers: the label comes after the last', async () => {
    const file = await put(imafs, 'two', 'text');
    const other = imafs.system.startXt(`open wa ${file} , wait , write B , close`);
    await other.printed('waiting');
    await imafs.system.xt(`open wa ${file} , write A , close`);
    assert.equal(await labelOf(imafs, 'two'), labelFor('text'));
    await other.proceed();
    await other.succeeds();
    assert.deepEqual(await imafs.system.xt(`open r ${file} , read`), [
      'open=ok',
      'read=ok 6 textAB',
    ]);
  });

  imafs.test('a writable mapping is the last writer until munmap', async () => {
    const file = await put(imafs, 'mapped', 'text');
    const writer = imafs.system.startXt(
      `open rw ${file} , mmap rw s 4096 , close , wait , store 0 TEXT , munmap , wait`,
    );
    await writer.printed('waiting');
    await writer.proceed();
    await writer.printed('waiting', 2);
    assert.deepEqual(await imafs.system.xt(`open r ${file} , read`), ['open=ok', 'read=ok 4 TEXT']);
    assert.equal(await labelOf(imafs, 'mapped'), labelFor('TEXT'));
    await writer.proceed(2);
    await writer.succeeds();
  });

  imafs.test('a program is executed, and refused when it changed below', async () => {
    await imafs.shell(
      `cp ${program('exit-good')} $BACKING/program; chown ${PROTECTED} $BACKING/program`,
    );
    const run = `run ${imafs.at('program')}`;
    assert.deepEqual(await imafs.system.xt(run), ['run=EACCES']);
    await imafs.shell(
      'setfattr -n security.ima -v 0x0404$(sha256sum < $BACKING/program | cut -c1-64) $BACKING/program',
    );
    assert.deepEqual(await imafs.system.xt(`${run} , ${run}`), ['run=ok exit 0', 'run=ok exit 0']);
    await imafs.shell(`cat ${program('exit-bad')} > $BACKING/program`);
    assert.deepEqual(await imafs.system.xt(run), ['run=EACCES']);
  });
});

describe('a backing without ACLs and xattrs', () => {
  const imafs = useImafs({
    policy: [RULE],
    prepare: 'mount -t ramfs none $BACKING; chmod 777 $BACKING',
  });

  imafs.test('the answer about ACLs does not become that of the permission check', async () => {
    await imafs.shell(
      'echo text > $BACKING/open; echo text > $BACKING/closed; chmod 600 $BACKING/closed',
    );
    const results = await imafs.system.xt(
      `open r ${imafs.at('open')} , read , open r ${imafs.at('closed')} , open w ${imafs.at('open')}`,
      { uid: 1500 },
    );
    assert.deepEqual(results, ['open=ok', 'read=ok 5 text', 'open=EACCES', 'open=EACCES']);
  });

  imafs.test('a file that cannot have a label has none', async () => {
    await imafs.shell(`echo text > $BACKING/protected; chown ${PROTECTED} $BACKING/protected`);
    assert.deepEqual(await imafs.system.xt(`open r ${imafs.at('protected')}`), ['open=EACCES']);
    assert.deepEqual(causesOf(imafs.auditLines(), 'protected'), ['missing-hash']);
  });
});

/** Numbers on x86_64: fallocate, setxattr, fsetxattr, removexattr, fremovexattr, copy_file_range. */
const MISSING = '285,188,190,197,199,326';

describe('a daemon that is told ENOSYS', {
  skip: process.arch !== 'x64' && 'numbers are for x64',
}, () => {
  const imafs = useImafs({ policy: [RULE], wrapper: [program('without'), MISSING] });

  imafs.test('passes it to nobody, so that the kernel goes on asking', async () => {
    const file = imafs.put('refused', 'text', { owner: 0 });
    // One ENOSYS, and the kernel would answer EOPNOTSUPP by itself for the life of the mount.
    for (let round = 0; round < 2; round++) {
      const results = await imafs.system.xt(
        `setx ${file} user.a 01 , setx ${file} security.ima 07 , rmx ${file} user.a , open rw ${file} , fallocate 0 0 10`,
      );
      assert.doesNotMatch(results.join('\n'), /ENOSYS/);
      assert.equal(results[1], 'setx=EINVAL', 'a change of security.ima is decided on');
    }
  });
});
