/** Where space ends: errors of the backing reach the caller, and what was written before them stays. */
import assert from 'node:assert/strict';
import { describe } from 'node:test';

import { PROTECTED, useImafs } from '../helpers/imafs.js';
import { labelFor } from '../helpers/label.js';
import { skipUnless } from '../helpers/skip.js';

const POLICY = [`appraise fowner=${PROTECTED}`];
const hasLoop = skipUnless('loop devices', '/dev/loop-control is not there');
const hasBtrfs = skipUnless('btrfs on loop devices', 'the kernel was built without it');
const hasQuota = skipUnless('quota format of ext4', 'the kernel was built without QFMT_V2');

const ext4 = (options: string, mount = ''): string =>
  `truncate -s 32M $ROOT/image; mkfs.ext4 -q -b 1024 ${options} $ROOT/image;
   mount -o loop${mount} $ROOT/image $BACKING; chmod 777 $BACKING`;

/** Writes KiB after KiB until an error, and says how many were written and which error it was. */
const fill = (file: string): string =>
  `dd if=/dev/zero of=${file} bs=1k 2>&1 | sed -n 's/.*: //p; s/ bytes.*//p'; stat -c %s ${file}`;

for (const passthrough of ['rw', 'ro', 'off']) {
  const options = { passthrough };

  describe(`an ext4 that is nearly full, passthrough=${passthrough}`, { skip: hasLoop }, () => {
    const imafs = useImafs({ policy: POLICY, options, prepare: ext4('-m 40') });

    imafs.test('keeps its reserved blocks from who writes through the mount', async () => {
      const { stdout } = await imafs.system.run(['sh', '-c', fill(imafs.at('large'))], {
        uid: 1500,
      });
      const [error, written, size] = stdout.trim().split('\n');
      assert.equal(error, 'No space left on device');
      assert.equal(written, size);
      const [free, available] = (await imafs.shell('stat -f -c "%f %a" $BACKING')).split(' ');
      assert.ok(Number(free) * 1024 > 8 * 1024 * 1024, `only ${free} blocks are left`);
      assert.ok(Number(available) < 1024, `${available} blocks are left to users`);
      await imafs.shell('rm $BACKING/large');
    });

    imafs.test('what was written before the error is there, and has its label', async () => {
      const file = imafs.at('partial');
      await imafs.shell(`printf x > $BACKING/partial; chown ${PROTECTED} $BACKING/partial;
        setfattr -n security.ima -v 0x${labelFor('x')} $BACKING/partial`);
      const filler = `dd if=/dev/zero of=${imafs.at('filler')} bs=1M status=none 2>/dev/null; true`;
      await imafs.system.run(['sh', '-c', filler], { uid: 1500 });
      const script = `i=0; while printf %01000d $i >> ${file}; do i=$((i+1)); done 2>/dev/null; stat -c %s ${file}`;
      const size = Number(await imafs.system.ok(['sh', '-c', script], { uid: PROTECTED }));
      await imafs.shell('rm $BACKING/filler');
      assert.match(
        await imafs.system.ok(['sh', '-c', `wc -c < ${file}; tail -c 1000 ${file} | head -c 500`]),
        new RegExp(`^${size}\\n0{500}$`),
      );
      assert.equal(
        await imafs.shell(
          'getfattr --only-values -n security.ima $BACKING/partial | od -An -v -tx1 | tr -d " \\n"',
        ),
        `0404${(await imafs.shell('sha256sum < $BACKING/partial')).slice(0, 64)}`,
      );
    });

    imafs.test('a mapping that finds no space is told by msync or the signal', async () => {
      const filler = `dd if=/dev/zero of=${imafs.at('filler')} bs=1M status=none 2>/dev/null; true`;
      await imafs.system.run(['sh', '-c', filler], { uid: 1500 });
      const script = `import mmap, os
fd = os.open('${imafs.at('mapped')}', os.O_RDWR | os.O_CREAT)
os.ftruncate(fd, 4 << 20)
m = mmap.mmap(fd, 4 << 20)
for at in range(0, 4 << 20, 4096): m[at] = 65
m.flush()
os.fsync(fd)`;
      const outcome = await imafs.system.run(['python3', '-c', script], { uid: 1500 });
      assert.ok(
        outcome.signal === 'SIGBUS' || /No space left/.test(outcome.stderr),
        `${outcome.exit} ${outcome.signal} ${outcome.stderr}`,
      );
      await imafs.shell('rm $BACKING/filler $BACKING/mapped');
    });
  });

  describe(`quotas of users and groups, passthrough=${passthrough}`, {
    skip: hasLoop === false ? hasQuota : hasLoop,
  }, () => {
    const imafs = useImafs({
      options,
      prepare: `${ext4('-O quota -E quotatype=usrquota:grpquota', ',usrquota,grpquota')};
        setquota -u 1500 0 1000 0 10 $BACKING; setquota -g 1600 0 500 0 0 $BACKING`,
    });

    imafs.test('hold for bytes and files, as on the backing itself', async () => {
      for (const [uid, gid] of [
        [1500, 1500],
        [1501, 1600],
      ] as const) {
        const results: string[] = [];
        for (const place of [imafs.backing, imafs.mountpoint]) {
          const script = `${fill(`${place}/large`)}; rm ${place}/large;
            cd ${place}; for i in 1 2 3 4 5 6 7 8 9 10 11; do : > n$i; done 2>&1 | sed 's/.*: //'; rm -f n*`;
          results.push((await imafs.system.run(['sh', '-c', script], { uid, gid })).stdout);
        }
        assert.match(results[0] ?? '', /Disk quota exceeded/);
        assert.equal(results[1], results[0]);
      }
    });
  });

  describe(`a quota of btrfs, passthrough=${passthrough}`, { skip: hasBtrfs }, () => {
    const imafs = useImafs({
      options,
      prepare: `truncate -s 200M $ROOT/image; mkfs.btrfs -q $ROOT/image >/dev/null 2>&1;
        mkdir $ROOT/top; mount -o loop $ROOT/image $ROOT/top; btrfs -q subvolume create $ROOT/top/v;
        btrfs quota enable $ROOT/top; mount --bind $ROOT/top/v $BACKING; chmod 777 $BACKING`,
    });

    imafs.test('is an error to who writes beyond it', async () => {
      await imafs.shell('btrfs qgroup limit 10M $ROOT/top/v; sync -f $BACKING');
      const results: string[] = [];
      for (const place of [imafs.backing, imafs.mountpoint]) {
        results.push(await imafs.system.ok(['sh', '-c', fill(`${place}/large`)]));
        await imafs.shell('rm $BACKING/large; sync -f $BACKING');
      }
      await imafs.shell('btrfs qgroup limit none $ROOT/top/v');
      assert.match(results[0] ?? '', /^Disk quota exceeded\n(\d+)\n\1\n$/);
      assert.equal(results[1], results[0]);
    });

    imafs.test('copies within the kernel share their blocks; FICLONE is not there', async () => {
      const file = imafs.at('source');
      await imafs.shell('head -c 30000000 /dev/urandom > $BACKING/source; sync $BACKING/source');
      const [, clone] = await imafs.system
        .xt(`open r ${file} , open wcx ${imafs.at('clone')} , clone 0`)
        .then((lines) => lines.slice(1));
      // The kernel's FUSE has no remap_file_range; cp --reflink=auto goes on to copy_file_range.
      assert.equal(clone, 'clone=EOPNOTSUPP');
      for (let copy = 0; copy < 8; copy++) {
        await imafs.system.ok(['cp', '--reflink=auto', file, imafs.at(`copy-${copy}`)]);
      }
      await imafs.system.ok(['cmp', file, imafs.at('copy-7')]);
      await imafs.shell('rm $BACKING/*; sync -f $BACKING');
    });
  });
}
