/** A container must not shed its policy by making mount namespaces, and nobody else inherits it. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { describe } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { type Imafs, PROTECTED, useImafs } from '../helpers/imafs.js';
import { Namespace } from '../helpers/namespace.js';
import { program } from '../helpers/programs.js';
import { cgroupRoot, skipUnless } from '../helpers/skip.js';

const RULE = `appraise fowner=${PROTECTED}`;
const REFUSED = 'open=EACCES';
const SERVED = 'open=ok';
const userNamespaces = { skip: skipUnless('user namespaces', 'max_user_namespaces is 0') };

/** A group is busy until the last process that ended there is reaped. */
async function removeGroup(path: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      rmdirSync(path);
      return;
    } catch (error) {
      if (tries === 50) throw error;
      await sleep(50);
    }
  }
}

function unlabelled(imafs: Imafs, name: string): string {
  return imafs.put(name, 'text\n', { label: 'none' });
}

describe('out of an activated container', () => {
  const imafs = useImafs();

  imafs.test('unshare -m stays under its policy', async () => {
    const file = unlabelled(imafs, 'unshare');
    const container = await imafs.activated([RULE]);
    const results = await container.xt(`open r ${file} , unshare m , open r ${file}`);
    assert.deepEqual(results, [REFUSED, 'unshare=ok', REFUSED]);
    assert.match(
      await container.ok(['unshare', '-m', 'sh', '-c', `cat ${file} || echo refused`]),
      /refused/,
    );
  });

  imafs.test(
    'unshare -Urm stays under its policy',
    async () => {
      const file = unlabelled(imafs, 'unshare-user');
      const container = await imafs.activated([RULE]);
      const results = await container.xt(`unshare mU , open r ${file}`, { uid: PROTECTED });
      assert.deepEqual(results, ['unshare=ok', REFUSED]);
    },
    userNamespaces,
  );

  imafs.test(
    'processes that fork and end over and over stay under it, though it has ended',
    async () => {
      const file = unlabelled(imafs, 'chain');
      const container = await imafs.activated([RULE], { userRoot: 100_000 });
      const result = `${imafs.root}/chain-result`;
      writeFileSync(result, '');
      chmodSync(result, 0o666);
      const open = `${program('xt')} open r ${file} > ${result}`;
      // Longer than it takes to forget a namespace that nobody is left of.
      const words = [program('chain'), '12000', 'sh', '-c', open];
      assert.equal((await container.start(words).ended).exit, 0);
      await container.stop();
      for (const limit = Date.now() + 30_000; readFileSync(result, 'latin1') === ''; ) {
        assert.ok(Date.now() < limit, 'the chain has broken');
        await sleep(100);
      }
      assert.equal(readFileSync(result, 'latin1'), `${REFUSED}\n`);
    },
    userNamespaces,
  );

  imafs.test('a namespace made by a namespace that it made stays under its policy', async () => {
    const file = unlabelled(imafs, 'twice');
    const container = await imafs.activated([RULE]);
    const results = await container.xt(`unshare m , open r ${file} , unshare m , open r ${file}`);
    assert.deepEqual(results, ['unshare=ok', REFUSED, 'unshare=ok', REFUSED]);
  });

  imafs.test(
    'a double fork with namespaces of its own is betrayed by its user namespace',
    async () => {
      const file = unlabelled(imafs, 'double-fork-user');
      const container = await imafs.activated([RULE], { userRoot: 100_000 });
      const outcome = await container.run([
        'sh',
        '-c',
        `exec "$0" daemonize , unshare m , open r ${file}`,
        program('xt'),
      ]);
      assert.match(outcome.stdout, /unshare=ok\nopen=EACCES/);
    },
    userNamespaces,
  );

  imafs.test(
    'a double fork with a mount namespace of its own is betrayed by its pid namespace',
    async () => {
      const file = unlabelled(imafs, 'double-fork-pid');
      const container = await imafs.activated([RULE], { pid: true });
      const outcome = await container.run([
        program('xt'),
        ...`daemonize , unshare m , open r ${file}`.split(' '),
      ]);
      assert.match(outcome.stdout, /unshare=ok\nopen=EACCES/);
    },
  );

  imafs.test(
    'a double fork with a mount namespace of its own is betrayed by its cgroup, or one below it',
    async () => {
      const file = unlabelled(imafs, 'double-fork-cgroup');
      const group = `${cgroupRoot()}/imafs-test-${process.pid}`;
      const container = await imafs.container();
      mkdirSync(`${group}/below`, { recursive: true });
      try {
        writeFileSync(`${group}/cgroup.procs`, String(container.agentPid));
        await imafs.system.ok([
          'sh',
          '-c',
          `echo ${container.id} > ${imafs.control('namespaces')}`,
        ]);
        await imafs.writePolicy(String(container.id), [RULE]);
        const escape = `daemonize , unshare m , open r ${file}`.split(' ');
        const inside = await container.run([program('xt'), ...escape]);
        assert.match(inside.stdout, /unshare=ok\nopen=EACCES/);
        const move = `echo $$ > ${group}/below/cgroup.procs && exec "$0" "$@"`;
        const below = await container.run(['sh', '-c', move, program('xt'), ...escape]);
        assert.match(below.stdout, /unshare=ok\nopen=EACCES/);
        // One that is made elsewhere stays apart.
        const other = await imafs.container();
        assert.deepEqual(await other.xt(`open r ${file}`), [SERVED]);
      } finally {
        await container.stop();
        for (const path of [`${group}/below`, group]) await removeGroup(path);
      }
    },
    { skip: skipUnless('cgroups', 'no hierarchy that can be written') },
  );

  imafs.test('after the activated namespace died its descendants are still bound', async () => {
    const file = unlabelled(imafs, 'survivor');
    const container = await imafs.activated([RULE]);
    const results = await container.xt(`unshare m , open r ${file} , sleep 10 , open r ${file}`);
    assert.deepEqual(results, ['unshare=ok', REFUSED, 'sleep=ok', REFUSED]);
  });

  imafs.test(
    'hopping through namespaces until the activated one is long gone sheds nothing',
    async () => {
      const file = unlabelled(imafs, 'hopping');
      const directory = mkdtempSync('/tmp/imafs-test-hopping-');
      const output = `${directory}/output`;
      writeFileSync(output, '');
      chmodSync(directory, 0o755);
      chmodSync(output, 0o666);
      const container = await imafs.activated([RULE], { userRoot: 100_000 });
      // Several checks for ended namespaces, which find it in another namespace each time.
      const hops = 'unshare m , sleep 1 , '.repeat(5000);
      const words = `daemonize , ${hops}open r ${file} , sleep 5000 , unshare m , open r ${file}`;
      const command = ['sh', '-c', `exec "$0" "$@" > ${output}`, program('xt')];
      try {
        await container.run([...command, ...words.split(' ')]);
        await container.stop();
        const opens = (): string[] => readFileSync(output, 'utf8').match(/open=.*/g) ?? [];
        for (let tries = 0; opens().length < 2 && tries < 300; tries++) await sleep(100);
        assert.deepEqual(opens(), [REFUSED, REFUSED]);
      } finally {
        rmSync(directory, { recursive: true });
      }
    },
    userNamespaces,
  );
});

describe('not bound', () => {
  const imafs = useImafs();

  imafs.test('two siblings made side by side, one of them activated', async () => {
    const file = unlabelled(imafs, 'siblings');
    const older = await imafs.container();
    const container = await imafs.activated([RULE]);
    const younger = await imafs.container();
    assert.deepEqual(await older.xt(`open r ${file}`), [SERVED]);
    assert.deepEqual(await younger.xt(`open r ${file}`), [SERVED]);
    assert.deepEqual(await container.xt(`open r ${file}`), [REFUSED]);
  });

  imafs.test(
    "a process of the container that enters an older namespace is judged as that one's",
    async () => {
      const file = unlabelled(imafs, 'nsenter');
      const older = await imafs.container();
      const container = await imafs.activated([RULE]);
      const enter = `setns /proc/${older.agentPid}/ns/mnt , open r ${file}`;
      assert.deepEqual(await container.xt(enter), ['setns=ok', SERVED]);
      assert.deepEqual(await older.xt(`open r ${file}`), [SERVED]);
    },
  );

  imafs.test('a service with a private mount namespace that is started later', async () => {
    const file = unlabelled(imafs, 'private-tmp');
    const container = await imafs.activated([RULE]);
    const service = await imafs.container();
    assert.deepEqual(await service.xt(`open r ${file}`), [SERVED]);
    assert.deepEqual(await service.xt(`unshare m , open r ${file}`), ['unshare=ok', SERVED]);
    assert.deepEqual(await container.xt(`open r ${file}`), [REFUSED]);
  });

  imafs.test(
    'the other of two containers in one user namespace',
    async () => {
      const file = unlabelled(imafs, 'one-user-namespace');
      const within = await imafs.container({ userRoot: 100_000 });
      const older = await imafs.container({ within, sameUser: true });
      const container = await imafs.activated([RULE], { within, sameUser: true });
      const younger = await imafs.container({ within, sameUser: true });
      const results = [container, older, younger].map((it) => it.xt(`open r ${file}`));
      assert.deepEqual((await Promise.all(results)).flat(), [REFUSED, SERVED, SERVED]);
    },
    userNamespaces,
  );

  imafs.test('a host process that visited the container and came back', async () => {
    const file = unlabelled(imafs, 'visitor');
    const container = await imafs.activated([RULE]);
    const visit = `setns /proc/${container.agentPid}/ns/mnt , open r ${file} , setns /proc/${imafs.system.agentPid}/ns/mnt , open r ${file}`;
    assert.deepEqual(await imafs.system.xt(visit), ['setns=ok', REFUSED, 'setns=ok', SERVED]);
  });

  imafs.test('a namespace made by a host process while it visited nothing', async () => {
    const file = unlabelled(imafs, 'bystander');
    await imafs.activated([RULE]);
    const bystander = await Namespace.start({ within: imafs.system });
    try {
      assert.deepEqual(await bystander.xt(`open r ${file}`), [SERVED]);
    } finally {
      await bystander.stop();
    }
  });
});
