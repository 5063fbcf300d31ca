/** The mount among other mounts: overlayfs above and below it, binds, itself over its backing. */
import assert from 'node:assert/strict';
import { describe } from 'node:test';

import { type Imafs, PROTECTED, useImafs } from '../helpers/imafs.js';
import { program } from '../helpers/programs.js';
import { skipUnless } from '../helpers/skip.js';

const POLICY = [`appraise fowner=${PROTECTED}`];
const hasOverlay = skipUnless('overlayfs', 'the kernel was built without it');

/** An overlay whose lower layer is the mount; $ROOT/above shows it. */
const overlayAbove = `mkdir -p $ROOT/above $ROOT/layers/upper $ROOT/layers/work;
  mount -t overlay above -o lowerdir=$MNT,upperdir=$ROOT/layers/upper,workdir=$ROOT/layers/work $ROOT/above`;
const overlayBelow = `mkdir $ROOT/lower $ROOT/upper $ROOT/work; chmod 777 $ROOT/lower $ROOT/upper;
  mount -t overlay below -o lowerdir=$ROOT/lower,upperdir=$ROOT/upper,workdir=$ROOT/work $BACKING`;

/** Files made by the system's namespace, which alone sees an overlay as the backing. */
async function makeFiles(imafs: Imafs): Promise<void> {
  await imafs.shell(
    `cd $BACKING; printf good > good; printf bad > bad; cp ${program('exit-good')} program;
     mkdir sub; printf x > sub/x; chown ${PROTECTED} good bad program;
     for f in good program; do
       setfattr -n security.ima -v 0x0404$(sha256sum < $f | cut -c1-64) $f; done`,
  );
}

async function mountOf(imafs: Imafs): Promise<{ transport: Record<string, unknown> }> {
  return ((await imafs.status()) as { mount: { transport: Record<string, unknown> } }).mount;
}

for (const [where, prepare, passthrough, options] of [
  ['ext4', '', 'rw', {}],
  ['ext4', '', 'off', { passthrough: 'off' }],
  ['overlayfs', overlayBelow, 'off', {}],
  ['overlayfs', overlayBelow, 'off', { passthrough: 'off' }],
] as const) {
  const asked = 'passthrough' in options ? `passthrough=${options.passthrough}` : 'as it chooses';
  describe(`overlayfs above the mount, ${where} below, ${asked}`, { skip: hasOverlay }, () => {
    const imafs = useImafs({ policy: POLICY, options, prepare: prepare === '' ? 'true' : prepare });

    imafs.test('is told by status, judges what is read and executed, and copies up', async () => {
      await makeFiles(imafs);
      await imafs.shell(overlayAbove);
      const above = `${imafs.root}/above`;
      assert.equal((await mountOf(imafs)).transport['passthrough'], passthrough);
      assert.deepEqual(
        await imafs.system.xt(
          `open r ${above}/good , read , open r ${above}/bad , run ${above}/program , open a ${above}/good , write + , close , open r ${above}/good , read`,
        ),
        [
          'open=ok',
          'read=ok 4 good',
          'open=EACCES',
          'run=ok exit 0',
          'open=ok',
          'write=ok 1',
          'close=ok',
          'open=ok',
          'read=ok 5 good+',
        ],
      );
      // Copied up, it is none of the mount's any more.
      assert.deepEqual(await imafs.system.xt(`open r ${imafs.at('good')} , read`), [
        'open=ok',
        'read=ok 4 good',
      ]);
      assert.deepEqual(await imafs.system.xt(`open a ${above}/bad`), ['open=EACCES']);
      await imafs.shell('umount $ROOT/above');
    });

    imafs.test('refuses a program that changed, though the overlay has it cached', async () => {
      await imafs.shell(overlayAbove);
      const above = `${imafs.root}/above`;
      assert.deepEqual(await imafs.system.xt(`run ${above}/program`), ['run=ok exit 0']);
      await imafs.shell(`cat ${program('exit-bad')} > $BACKING/program`);
      assert.deepEqual(await imafs.system.xt(`run ${above}/program`), ['run=EACCES']);
      await imafs.shell('umount $ROOT/above');
    });
  });
}

describe('bind mounts', () => {
  const imafs = useImafs({ policy: POLICY });

  imafs.test('of the mount, of a directory in it and of a file judge as the mount', async () => {
    imafs.put('sub/good', 'good');
    imafs.put('sub/bad', 'bad', { label: 'none' });
    await imafs.shell(
      `mkdir $ROOT/whole $ROOT/part; touch $ROOT/file; mount --bind $MNT $ROOT/whole;
       mount --bind $MNT/sub $ROOT/part; mount --bind $MNT/sub/bad $ROOT/file;
       mount -o remount,bind,ro $ROOT/part`,
    );
    const { root } = imafs;
    assert.deepEqual(
      await imafs.system.xt(
        `open r ${root}/whole/sub/good , open r ${root}/whole/sub/bad , open r ${root}/part/good , open r ${root}/part/bad , open w ${root}/part/good , open r ${root}/file`,
      ),
      ['open=ok', 'open=EACCES', 'open=ok', 'open=EACCES', 'open=EROFS', 'open=EACCES'],
    );
    await imafs.shell('umount $ROOT/whole $ROOT/part $ROOT/file');
  });
});

describe('file systems mounted below the backing directory', () => {
  const imafs = useImafs({
    policy: POLICY,
    prepare: `mkdir $BACKING/before; printf own > $BACKING/before/own;
      mount -t tmpfs none $BACKING/before; printf other > $BACKING/before/other`,
  });

  imafs.test('are not crossed, whether mounted before or after', async () => {
    assert.equal(await imafs.system.ok(['ls', imafs.at('before')]), 'own\n');
    imafs.put('after/own', 'own');
    await imafs.system.ok(['ls', imafs.at('after')]);
    await imafs.shell('mount -t tmpfs none $BACKING/after; printf other > $BACKING/after/other');
    assert.equal(await imafs.system.ok(['ls', imafs.at('after')]), 'own\n');
    const results = await imafs.system.xt(`open r ${imafs.at('after')}/own , read`);
    assert.deepEqual(results, ['open=ok', 'read=ok 3 own']);
  });
});

describe('a backing that is read-only', () => {
  const imafs = useImafs({
    policy: POLICY,
    prepare: `printf text > $BACKING/file; chown ${PROTECTED} $BACKING/file;
      setfattr -n security.ima -v 0x0404$(printf text | sha256sum | cut -c1-64) $BACKING/file;
      mount --bind $BACKING $BACKING; mount -o remount,bind,ro $BACKING`,
  });

  imafs.test('is read and refuses every change with EROFS', async () => {
    const file = imafs.at('file');
    assert.deepEqual(
      await imafs.system.xt(
        `open r ${file} , read , open w ${file} , open rw ${file} , open a ${file} , open wt ${file} , open rt ${file} , open wc ${file}.new , truncate ${file} 1 , chmod ${file} 600 , chown ${file} 5 5 , unlink ${file} , rename ${file} ${file}.x , link ${file} ${file}.x , mkdir ${file}.d 755 , symlink x ${file}.l , setx ${file} user.a 01 , utimens ${file} 1 1 1 1`,
      ),
      ['open=ok', 'read=ok 4 text', ...['open', 'open', 'open', 'open', 'open', 'open'].map(erofs)]
        .concat(['truncate', 'chmod', 'chown', 'unlink', 'rename', 'link'].map(erofs))
        .concat(['mkdir', 'symlink', 'setx', 'utimens'].map(erofs)),
    );
  });
});

const erofs = (operation: string): string => `${operation}=EROFS`;
