/** mount(8), umount(8) and fstab: what users of them expect of a file system type. */
import assert from 'node:assert/strict';
import { symlinkSync, writeFileSync } from 'node:fs';
import { afterEach, describe, test } from 'node:test';

import { isGone, until, useMount8 } from '../helpers/mount8.js';

describe('mount -t fuse.imafs', () => {
  const mount8 = useMount8();
  afterEach(() => mount8.unmountAll());
  const at = (name: string): string => mount8.at(name);
  /** mount(8) with the options that keep a test to itself. */
  const line = (words: readonly string[]): string[] => [
    ...['mount', '-t', 'fuse.imafs', '-o', mount8.options()],
    ...words,
  ];
  const mount = (...words: string[]) => mount8.run(...line(words));
  const mounted = (...words: string[]) => mount8.ok(...line(words));

  test('returns when files can be opened; its daemon ends after umount', async () => {
    const [backing, mnt] = [mount8.directory('a', 'text\n'), mount8.directory('mnt')];
    assert.match(await mounted('-v', backing, mnt), /mounted on .*mnt\.$/m);
    assert.equal(await mount8.read(`${mnt}/file`), 'text\n');
    const shown = await mount8.run('findmnt', '-n', '-o', 'SOURCE,FSTYPE', mnt);
    assert.equal(shown.stdout.trim(), `${backing} fuse.imafs`);
    const pid = await mount8.daemonOf(mnt);
    await mount8.ok('umount', mnt);
    await until(() => isGone(pid));
    assert.deepEqual(await mount8.mounts(), []);
  });

  test('over itself: umount gives the plain directory back', async () => {
    const dir = mount8.directory('over', 'text\n');
    await mounted(dir, dir);
    assert.equal((await mount8.mounts()).length, 1);
    await mount8.ok('umount', dir);
    assert.equal(await mount8.read(`${dir}/file`), 'text\n');
    assert.equal((await mount8.run('ls', `${dir}/.ima`)).exit, 2);
  });

  test('a line of fstab: spaces, words for systemd, mount -a twice, umount -a', async () => {
    const [backing, mnt] = [mount8.directory('with space', 'text\n'), at('mnt two')];
    const field = (path: string): string => path.replaceAll(' ', '\\040');
    const words = 'nofail,_netdev,x-systemd.requires=tpm.service,X-mount.mkdir,noatime';
    const fstab = at('fstab');
    const options = `${mount8.options('a state')},${words}`.replaceAll(' ', '\\040');
    writeFileSync(fstab, `${field(backing)} ${field(mnt)} fuse.imafs ${options} 0 0\n`);
    await mount8.ok('mount', '-T', fstab, mnt);
    assert.equal(await mount8.read(`${mnt}/file`), 'text\n');
    await mount8.ok('umount', mnt);
    for (const time of ['first', 'second']) {
      await mount8.ok('mount', '-T', fstab, '-a');
      assert.equal((await mount8.mounts()).length, 1, time);
    }
    await mount8.ok('umount', '-a', '-t', 'fuse.imafs');
    assert.deepEqual(await mount8.mounts(), []);
  });

  test('relative paths, slashes at the end and symlinks lead to the directories', async () => {
    const backing = mount8.directory('real', 'text\n');
    const mnt = mount8.directory('mnt-real');
    symlinkSync(backing, at('backing-link'));
    symlinkSync('mnt-real', at('mnt-link'));
    for (const [source, target] of [
      ['real', 'mnt-real/'],
      ['./backing-link/', 'mnt-link'],
      ['mnt-real/../backing-link', './mnt-link/'],
    ] as const) {
      const words = ['-t', 'fuse.imafs', '-o', mount8.options(), source, target];
      const outcome = await mount8.system.run(['mount', ...words], { cwd: mount8.root });
      assert.equal(outcome.exit, 0, outcome.stderr);
      const [shown = ''] = await mount8.mounts();
      assert.ok(shown.includes(` ${mnt} `) && shown.includes(` - fuse.imafs ${backing} `), shown);
      const gone = await mount8.system.run(['umount', target], { cwd: mount8.root });
      assert.equal(gone.exit, 0, gone.stderr);
    }
  });

  test('-r, -w and -o ro make it read-only or not', async () => {
    const [backing, mnt] = [mount8.directory('rw', 'text\n'), mount8.directory('mnt')];
    for (const [words, isReadOnly] of [
      [['-r'], true],
      [['-o', 'ro,noexec'], true],
      [['-w'], false],
      [[], false],
    ] as const) {
      await mounted(...words, backing, mnt);
      const { exit, stderr } = await mount8.run('touch', `${mnt}/new`);
      assert.equal(exit, isReadOnly ? 1 : 0, stderr);
      if (isReadOnly) assert.match(stderr, /Read-only/);
      await mount8.run('umount', mnt);
    }
  });

  test('-f checks and mounts nothing', async () => {
    const [backing, mnt] = [mount8.directory('a', 'text\n'), mount8.directory('mnt')];
    await mounted('-f', backing, mnt);
    const bad = await mount('-f', '-o', 'ima_appraise=enforced', backing, mnt);
    assert.equal(bad.exit, 1);
    assert.match(bad.stderr, /did you mean 'enforce'/);
    assert.deepEqual(await mount8.mounts(), []);
  });

  test('an unknown option is refused, and ignored with -s', async () => {
    const [backing, mnt] = [mount8.directory('a', 'text\n'), mount8.directory('mnt')];
    const refused = await mount('-o', 'polcy=/p', backing, mnt);
    assert.equal(refused.exit, 1);
    assert.match(refused.stderr, /unknown mount option 'polcy'\n.*did you mean 'policy'/);
    assert.deepEqual(await mount8.mounts(), []);
    const ignored = await mount('-s', '-o', 'polcy=/p', backing, mnt);
    assert.equal(ignored.exit, 0);
    assert.match(ignored.stderr, /'polcy=\/p' is ignored/);
  });

  test('a remount and another namespace are refused, and the mount stays', async () => {
    const [backing, mnt] = [mount8.directory('a', 'text\n'), mount8.directory('mnt')];
    await mounted(backing, mnt);
    const remount = await mount8.run('mount', '-o', 'remount,ro', mnt);
    assert.equal(remount.exit, 1);
    assert.match(remount.stderr, /a remount is not supported: umount /);
    const elsewhere = await mount8.run('mount.fuse.imafs', backing, mnt, '-N', '/proc/1/ns/mnt');
    assert.deepEqual([elsewhere.exit, elsewhere.stdout], [1, '']);
    assert.match(elsewhere.stderr, /-N is not supported/);
    const again = await mount(backing, mnt);
    assert.equal(again.exit, 32);
    assert.match(again.stderr, /is already an imafs mount/);
    assert.equal(await mount8.read(`${mnt}/file`), 'text\n');
  });

  test('what cannot be mounted fails with the reason, and leaves no mount and no daemon', async () => {
    const [backing, mnt] = [mount8.directory('a', 'text\n'), mount8.directory('mnt')];
    const policy = at('bad-policy');
    writeFileSync(policy, 'appraise nonsense=1\n');
    for (const [words, message] of [
      [['-o', `policy=${policy}`, backing, mnt], /bad-policy:1/],
      [['-o', 'audit=/nowhere/log', backing, mnt], /audit file \/nowhere\/log/],
      [['-o', 'tpm=swtpm:path=/nowhere', backing, mnt], /cannot mount: TPM swtpm/],
      [[`${backing}/file`, mnt], /backing directory .* is not a directory/],
      [[at('nowhere'), mnt], /backing directory .* does not exist/],
      [[backing, at('nowhere')], /nowhere/],
      [[backing, `${backing}/file`], /not a directory/],
    ] as const) {
      const { exit, stderr } = await mount(...words);
      assert.ok(exit === 32 || exit === 1, `${words.join(' ')}: ${exit}`);
      assert.match(stderr, message);
    }
    assert.deepEqual(await mount8.mounts(), []);
    const daemons = await mount8.run('pgrep', '-f', `mount --foreground.*${mount8.root}`);
    assert.equal(daemons.stdout, '');
  });

  test('nofail: a backing directory that is not there is no failure', async () => {
    const outcome = await mount('-o', 'nofail', at('nowhere'), mount8.directory('mnt'));
    assert.equal(outcome.exit, 0);
    assert.match(outcome.stderr, /does not exist: nothing is mounted/);
  });

  test('without rights it says what is missing: 1 by the helper, 10 by imafs mount', async () => {
    const [backing, mnt] = [mount8.directory('a', 'text\n'), mount8.directory('mnt')];
    const as = (command: string) => mount8.system.run(['sh', '-c', command], { uid: 1234 });
    const helper = await as(`/sbin/mount.fuse.imafs ${backing} ${mnt}`);
    assert.deepEqual([helper.exit, helper.stdout], [1, '']);
    assert.match(helper.stderr, /mounting needs CAP_SYS_ADMIN\n.*run it as root/);
  });

  test('imafs#BACKING of type fuse, as mount.fuse(8) hands it over', async () => {
    const [backing, mnt] = [mount8.directory('a', 'text\n'), mount8.directory('mnt')];
    const options = `rw,${mount8.options()},dev,suid`;
    const { exit, stderr } = await mount8.imafs(backing, mnt, '-o', options);
    assert.equal(exit, 0, stderr);
    assert.equal(await mount8.read(`${mnt}/file`), 'text\n');
  });

  test('umount -c, as systemd calls it, returns when the daemon has ended, as umount -a does', async () => {
    const [backing, mnt] = [mount8.directory('a', 'text\n'), mount8.directory('mnt')];
    for (const words of [
      ['-c', mnt],
      ['-a', '-t', 'fuse.imafs'],
    ]) {
      await mounted(backing, mnt);
      const pid = await mount8.daemonOf(mnt);
      await mount8.ok('umount', ...words);
      assert.ok(isGone(pid), words.join(' '));
    }
  });

  test('a part bound elsewhere is unmounted without waiting for the daemon', async () => {
    const [backing, mnt] = [mount8.directory('a/sub', 'text\n'), mount8.directory('mnt')];
    await mounted(at('a'), mnt);
    const bound = mount8.directory('bound');
    await mount8.ok('mount', '--bind', `${mnt}/sub`, bound);
    await mount8.ok('umount', bound);
    assert.equal(await mount8.read(`${mnt}/sub/file`), 'text\n');
    assert.equal((await mount8.run('umount', backing)).exit, 32, 'not a mountpoint');
  });

  test('umount of a mount in use is refused, and lazily it is not; by its backing is no way', async () => {
    const [backing, mnt] = [mount8.directory('a', 'text\n'), mount8.directory('mnt')];
    await mounted(backing, mnt);
    const user = mount8.system.start(['sh', '-c', 'echo open; read x'], { cwd: mnt });
    await user.printed('open');
    const busy = await mount8.run('umount', mnt);
    assert.equal(busy.exit, 32);
    assert.match(busy.stderr, /busy/);
    await mount8.ok('umount', '-l', mnt);
    assert.deepEqual(await mount8.mounts(), []);
    await user.kill();
    await mounted(backing, mnt);
    const hinted = await mount8.imafs('umount', backing);
    assert.equal(hinted.exit, 6);
    assert.match(hinted.stderr, new RegExp(`hint: imafs umount ${mnt}$`, 'm'));
  });
});
