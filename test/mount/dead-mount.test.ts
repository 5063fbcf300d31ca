/** Mounts whose daemons are gone, or do not answer: who finds them, and who takes them away. */
import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';

import { isGone, until, useMount8 } from '../helpers/mount8.js';
import { IMAFS } from '../helpers/project.js';
import { SLOWNESS } from '../helpers/slowness.js';
import { verb } from '../helpers/verb.js';

describe('a dead mount', () => {
  const mount8 = useMount8();
  afterEach(() => mount8.unmountAll());
  const mount = (backing: string, mnt: string, options = mount8.options()) =>
    mount8.ok('mount', '-t', 'fuse.imafs', '-o', options, backing, mnt);
  const dead = async (backing: string, mnt: string): Promise<void> => {
    await mount(backing, mnt);
    await mount8.killDaemonOf(mnt);
  };
  const doctor = async (...words: string[]) => {
    const { lines } = await verb(mount8.system, 'doctor', ...words);
    return lines.filter(({ about }) => String(about).startsWith('mount '));
  };

  test('is replaced by imafs mount, by mount(8), and by mount(8) from fstab', async () => {
    const [backing, mnt] = [mount8.directory('a', 'text\n'), mount8.directory('mnt')];
    for (const words of [
      [...['imafs', 'mount', '-o', mount8.options()], backing, mnt],
      [...['mount', '-t', 'fuse.imafs', '-o', mount8.options()], backing, mnt],
    ]) {
      await dead(backing, mnt);
      const [command = '', ...rest] = words;
      const run = command === 'imafs' ? mount8.imafs(...rest) : mount8.run(...words);
      const { exit, stderr } = await run;
      assert.equal(exit, 0, stderr);
      assert.match(stderr, /^imafs: the mount on .*mnt is dead, .*: replacing it$/m);
      assert.equal(await mount8.read(`${mnt}/file`), 'text\n');
      assert.equal((await mount8.mounts()).length, 1);
      await mount8.unmountAll();
    }
  });

  test('over its own backing directory is replaced too, and gives it back at the end', async () => {
    const dir = mount8.directory('over', 'text\n');
    await dead(dir, dir);
    assert.match((await mount8.run('cat', `${dir}/file`)).stderr, /not connected/);
    await mount(dir, dir);
    assert.equal(await mount8.read(`${dir}/file`), 'text\n');
    assert.equal((await mount8.mounts()).length, 1);
    await mount8.ok('umount', dir);
    assert.equal(await mount8.read(`${dir}/file`), 'text\n');
  });

  test('stays, and what it covers stays refused, where the next daemon cannot start', async () => {
    const dir = mount8.directory('over', 'text\n');
    await dead(dir, dir);
    for (const option of ['tpm=swtpm:path=/nowhere', 'audit=/nowhere/log', 'policy=/nowhere']) {
      const options = `${mount8.options()},${option}`;
      const { exit } = await mount8.imafs('mount', '-o', options, dir, dir);
      assert.ok(exit !== 0, option);
      assert.match((await mount8.run('cat', `${dir}/file`)).stderr, /not connected/, option);
    }
  });

  test('in use, and several on top of each other: all are replaced by one', async () => {
    const [backing, mnt] = [mount8.directory('a', 'text\n'), mount8.directory('mnt')];
    await mount(backing, mnt);
    const user = mount8.system.start(['sh', '-c', 'echo open; read x'], { cwd: mnt });
    await user.printed('open');
    await mount8.killDaemonOf(mnt);
    await mount8.ok('mount', '--bind', mnt, mnt);
    await mount8.ok('mount', '--bind', mnt, mnt);
    assert.equal((await mount8.mounts()).length, 3);
    await mount(backing, mnt);
    assert.equal((await mount8.mounts()).length, 1);
    assert.equal(await mount8.read(`${mnt}/file`), 'text\n');
    await user.kill();
  });

  test('two that mount at once: one replaces it, the other finds it mounted', async () => {
    const [backing, mnt] = [mount8.directory('a', 'text\n'), mount8.directory('mnt')];
    await dead(backing, mnt);
    const words = (name: string) => ['mount', '-o', mount8.options(name), backing, mnt];
    const both = await Promise.all(['one', 'two'].map((name) => mount8.imafs(...words(name))));
    assert.equal(await mount8.read(`${mnt}/file`), 'text\n');
    assert.equal((await mount8.mounts()).length, 1);
    assert.deepEqual(both.map(({ exit }) => exit).sort(), [0, 11]);
  });

  test('goes by umount, imafs umount and umount -f', async () => {
    const [backing, mnt] = [mount8.directory('a', 'text\n'), mount8.directory('mnt')];
    for (const command of [
      ['umount', mnt],
      ['umount', '-l', mnt],
      ['umount', '-f', mnt],
    ]) {
      await dead(backing, mnt);
      await mount8.ok(...command);
      assert.deepEqual(await mount8.mounts(), [], command.join(' '));
    }
    await dead(backing, mnt);
    const { exit, lines } = await verb(mount8.system, 'umount', `${mnt}/`);
    assert.deepEqual([exit, lines[0]?.['dead']], [0, true]);
    assert.deepEqual(await mount8.mounts(), []);
  });

  test('is found by doctor wherever it is, and taken away by doctor --clean', async () => {
    const dir = mount8.directory('over', 'text\n');
    const [inner, mnt] = [mount8.directory('inner', 'text\n'), mount8.directory('mnt')];
    mount8.directory('over/below');
    mount8.directory('inner/sub');
    await mount(dir, dir);
    await mount(inner, `${dir}/below`, mount8.options('state-inner'));
    await mount8.ok('mount', '--bind', `${dir}/below/sub`, mnt);
    await mount8.killDaemonOf(`${dir}/below`);
    await mount8.killDaemonOf(dir);
    const live = mount8.directory('live');
    await mount(inner, live, mount8.options('state-live'));
    const found = await doctor();
    const problems = found.filter(({ severity }) => severity === 'problem');
    // The one below may be found, or not be reached any more.
    const shown = problems.map(({ about }) => about);
    for (const mountpoint of [dir, mnt]) assert.ok(shown.includes(`mount ${mountpoint}`));
    for (const { remedy } of problems) assert.match(String(remedy), /imafs doctor --clean/);
    const cleaned = await verb(mount8.system, 'doctor', '--clean');
    assert.equal(cleaned.exit, 0);
    const told = cleaned.lines.filter(({ message }) => /was gone: detached/.test(String(message)));
    assert.deepEqual(told.map(({ about }) => about).sort(), [`mount ${mnt}`, `mount ${dir}`]);
    const [left = '', ...more] = await mount8.mounts();
    assert.ok(left.includes(` ${live} `) && more.length === 0, left);
    assert.equal(await mount8.read(`${dir}/file`), 'text\n');
  });

  test('is no backing and no place for a mount, and its name is told', async () => {
    const dir = mount8.directory('over', 'text\n');
    mount8.directory('over/sub');
    await dead(dir, dir);
    const mnt = mount8.directory('mnt');
    for (const [backing, target] of [
      [dir, mnt],
      [`${dir}/sub`, mnt],
      [mnt, `${dir}/sub`],
    ] as const) {
      const { exit, lines } = await verb(mount8.system, 'mount', backing, target);
      assert.deepEqual([exit, lines[0]?.['code']], [11, 'dead-mount'], `${backing} ${target}`);
      assert.match(String(lines[0]?.['hints']), new RegExp(`umount ${dir},`));
    }
  });
});

describe('a daemon that does not answer', () => {
  const mount8 = useMount8();

  test('is told apart from a dead one, is not replaced, and keeps nobody waiting', async () => {
    const [backing, mnt] = [mount8.directory('a', 'text\n'), mount8.directory('mnt')];
    const { system } = mount8;
    await mount8.ok('mount', '-t', 'fuse.imafs', '-o', mount8.options(), backing, mnt);
    const pid = await mount8.daemonOf(mnt);
    process.kill(pid, 'SIGSTOP');
    try {
      const [all, one, checked, again] = await Promise.all([
        verb(system, 'status'),
        verb(system, 'status', mnt),
        verb(system, 'doctor', '--clean'),
        verb(system, 'mount', backing, mnt),
      ]);
      assert.deepEqual([all.exit, all.lines[0]?.['daemon']], [3, 'silent']);
      assert.deepEqual([one.exit, one.lines[0]?.['code']], [5, 'no-answer']);
      assert.equal(checked.exit, 3);
      const found = checked.lines.find(({ about }) => about === `mount ${mnt}`);
      assert.match(String(found?.['message']), /does not answer/);
      assert.deepEqual([again.exit, again.lines[0]?.['code']], [11, 'already-mounted']);
      assert.equal((await mount8.mounts()).length, 1);
      const gone = await verb(system, 'umount', mnt);
      assert.deepEqual([gone.exit, gone.lines[0]?.['daemonEnded']], [0, false]);
      assert.deepEqual(await mount8.mounts(), []);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await until(() => isGone(pid));
  });
});

describe('a daemon that is stopped', () => {
  const mount8 = useMount8();

  test('keeps no verb waiting for longer than the probe does', async () => {
    const [backing, mnt] = [mount8.directory('a', 'text\n'), mount8.directory('mnt')];
    const { system } = mount8;
    await mount8.ok('mount', '-t', 'fuse.imafs', '-o', mount8.options(), backing, mnt);
    const pid = await mount8.daemonOf(mnt);
    process.kill(pid, 'SIGSTOP');
    try {
      const began = performance.now();
      const verbs = [
        ['status', `${mnt}/file`],
        ['explain', `${mnt}/file`],
        ['label', 'hash', `${mnt}/file`],
        ['label', 'clear', '-r', mnt],
        ['policy', 'show', mnt],
        ['policy', 'load', mnt, '/dev/null'],
        ['policy', 'check', `${mnt}/file`],
        ['ns', 'ls', mnt],
        ['ns', 'add', mnt, '1'],
        ['log', 'show', mnt],
        ['log', 'verify', `${mnt}/file`],
      ];
      const answers = await Promise.all(verbs.map((words) => verb(system, ...words)));
      for (const [index, { exit, lines }] of answers.entries()) {
        const words = verbs[index]?.join(' ');
        assert.deepEqual([exit, lines.at(-1)?.['code']], [5, 'no-answer'], words);
      }
      assert.ok(performance.now() - began < 25_000 * SLOWNESS);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    assert.equal((await verb(system, 'explain', `${mnt}/file`)).exit, 0);
    assert.equal((await verb(system, 'ns', 'ls', mnt)).exit, 0);
    await mount8.unmountAll();
    await until(() => isGone(pid));
  });
});

describe('a daemon and who started it', () => {
  const mount8 = useMount8();
  afterEach(() => mount8.unmountAll());

  test('one whose starter was killed takes its mount away', async () => {
    const [backing, mnt] = [mount8.directory('a', 'text\n'), mount8.directory('mnt')];
    // A starter that leaves as soon as its daemon is there, as one that is killed does.
    const leaving = `const { spawn } = require('node:child_process');
      const [node, ...words] = process.argv.slice(1);
      const child = spawn(node, words, { detached: true, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
      child.once('spawn', () => { console.log(child.pid); process.exit(); });`;
    const words = ['mount', '--foreground', '-o', mount8.options(), backing, mnt];
    const pid = Number(await mount8.ok(process.execPath, '-e', leaving, '--', ...IMAFS, ...words));
    await until(() => isGone(pid));
    assert.deepEqual(await mount8.mounts(), []);
  });

  test('one that is told to end while it begins leaves no mount', async () => {
    const [backing, mnt] = [mount8.directory('a', 'text\n'), mount8.directory('mnt')];
    const words = ['mount', '--foreground', '-o', mount8.options(), backing, mnt];
    const daemon = mount8.system.start([...IMAFS, ...words]);
    await until(async () => (await mount8.mounts()).length > 0);
    daemon.signal('SIGTERM');
    assert.equal((await daemon.ended).exit, 0);
    assert.deepEqual(await mount8.mounts(), []);
  });

  test('one that is told to end leaves alone what another one mounted at its place', async () => {
    const [backing, mnt] = [mount8.directory('a', 'text\n'), mount8.directory('mnt')];
    const mount = (name: string) =>
      mount8.ok('mount', '-t', 'fuse.imafs', '-o', mount8.options(name), backing, mnt);
    await mount('first');
    const first = await mount8.daemonOf(mnt);
    const user = mount8.system.start(['sh', '-c', 'echo open; read x'], { cwd: mnt });
    await user.printed('open');
    await mount8.ok('umount', '-l', mnt);
    await mount('second');
    process.kill(first, 'SIGTERM');
    await user.kill();
    await until(() => isGone(first));
    assert.equal(await mount8.read(`${mnt}/file`), 'text\n');
  });
});
