/** The verbs of the command line against a live mount: results, JSON and exit codes. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'node:test';

import { type Imafs, PROTECTED, useImafs } from '../helpers/imafs.js';
import { labelFor, labelOf } from '../helpers/label.js';
import { IMAFS } from '../helpers/project.js';
import { verb } from '../helpers/verb.js';

const POLICY = [`appraise fowner=${PROTECTED}`];

function policyFile(imafs: Imafs, name: string, text: string): string {
  const path = join(imafs.root, name);
  writeFileSync(path, text);
  return path;
}

describe('verbs on a live mount', () => {
  const imafs = useImafs({ policy: POLICY });

  imafs.test('status names the daemon, the backing directory and the namespaces', async () => {
    const { exit, lines } = await verb(imafs.system, 'status', imafs.mountpoint);
    assert.equal(exit, 0);
    const [{ backing, daemon, status } = {}] = lines;
    assert.deepEqual([backing, daemon], [imafs.backing, 'running']);
    const { mount } = status as { mount: { pid: number; namespaces: unknown[] } };
    assert.ok(mount.pid > 0);
    assert.equal(mount.namespaces.length, 1);
  });

  imafs.test('mounting again on the same place is refused with its own exit code', async () => {
    const { exit, lines } = await verb(imafs.system, 'mount', imafs.backing, imafs.mountpoint);
    assert.deepEqual([exit, lines.at(-1)?.['code']], [11, 'already-mounted']);
  });

  imafs.test(
    'explain names rule, line, cause and digests of a refusal, and ends with 4',
    async () => {
      imafs.put('changed', 'new', { label: labelFor('old') });
      const { exit, lines } = await verb(imafs.system, 'explain', imafs.at('changed'));
      assert.equal(exit, 4);
      const [{ read, denials } = {}] = lines;
      assert.equal(read, 'EACCES');
      const [denial] = denials as Record<string, unknown>[];
      assert.equal(denial?.['cause'], 'invalid-hash');
      assert.match((denial['rule'] as { at: string }).at, /policy:1$/);
      assert.equal(denial['digestWanted'], `sha256:${labelFor('old').slice(4)}`);
      assert.equal(denial['digestFound'], `sha256:${labelFor('new').slice(4)}`);
    },
  );

  imafs.test(
    'explain of an allowed file names the rule that decides, and ends with 0',
    async () => {
      imafs.put('good', 'good');
      const { exit, lines } = await verb(imafs.system, 'explain', imafs.at('good'));
      assert.equal(exit, 0);
      const [{ read, rules } = {}] = lines;
      assert.equal(read, 'allowed');
      const [rule] = rules as { hook: string; rule: string }[];
      assert.deepEqual([rule?.hook, rule?.rule], ['FILE_CHECK', POLICY[0]]);
    },
  );

  imafs.test('what explain says was refused is over once the file is labelled', async () => {
    imafs.put('mended', 'text', { label: 'none' });
    assert.equal((await verb(imafs.system, 'explain', imafs.at('mended'))).exit, 4);
    assert.equal((await verb(imafs.system, 'label', 'hash', imafs.at('mended'))).exit, 0);
    assert.equal(labelOf(imafs.behind('mended')), labelFor('text'));
    assert.equal((await verb(imafs.system, 'explain', imafs.at('mended'))).exit, 0);
  });

  imafs.test('label goes through the daemon below a mount: hash, again, clear', async () => {
    imafs.put('tree/one', 'one', { label: 'none' });
    imafs.put('tree/two', 'two', { label: 'none' });
    const counts = async (...words: string[]): Promise<unknown> => {
      const { lines } = await verb(imafs.system, 'label', ...words, '-r', imafs.at('tree'));
      const { done, unchanged, failed } = lines.at(-1) ?? {};
      return [done, unchanged, failed];
    };
    assert.deepEqual(await counts('hash'), [2, 0, 0]);
    assert.equal(labelOf(imafs.behind('tree/one')), labelFor('one'));
    assert.deepEqual(await counts('hash'), [0, 2, 0]);
    assert.deepEqual(await counts('clear'), [2, 0, 0]);
    assert.equal(labelOf(imafs.behind('tree/one')), undefined);
  });

  imafs.test('a namespace is added by a process of it, listed, and given a policy', async () => {
    const container = await imafs.container();
    const added = await verb(imafs.system, 'ns', 'add', imafs.mountpoint, `${container.agentPid}`);
    assert.deepEqual([added.exit, added.lines[0]?.['namespace']], [0, container.id]);
    const listed = await verb(imafs.system, 'ns', 'ls', imafs.mountpoint);
    const names = listed.lines.map(({ status }) => (status as { namespace: number }).namespace);
    assert.ok(names.includes(container.id));
    const file = policyFile(imafs, 'own', '# own rules\nappraise fowner=4711\n');
    const where = ['--ns', `${container.id}`, imafs.mountpoint];
    const loaded = await verb(imafs.system, 'policy', 'load', ...where, file);
    assert.deepEqual([loaded.exit, loaded.lines[0]?.['rules']], [0, 1]);
    const shown = await verb(imafs.system, 'policy', 'show', ...where);
    assert.deepEqual(shown.lines[0]?.['rules'], ['appraise fowner=4711']);
    const own = await verb(container, 'policy', 'show', imafs.mountpoint);
    assert.deepEqual(own.lines[0]?.['rules'], ['appraise fowner=4711']);
  });

  imafs.test('a policy with a bad rule is refused before anything is written', async () => {
    const file = policyFile(imafs, 'bad', 'appraise fowner=1\nappraise nonsense=1\n');
    const { exit, lines } = await verb(imafs.system, 'policy', 'load', imafs.mountpoint, file);
    assert.deepEqual([exit, lines[0]?.['code']], [7, 'policy-invalid']);
    const shown = await verb(imafs.system, 'policy', 'show', imafs.mountpoint);
    assert.deepEqual(shown.lines[0]?.['rules'], POLICY);
  });

  imafs.test(
    'a namespace that does not exist and a caller who may not ask are told apart',
    async () => {
      const missing = await verb(imafs.system, 'policy', 'show', '--ns', '1', imafs.mountpoint);
      assert.deepEqual([missing.exit, missing.lines[0]?.['code']], [2, 'no-namespace']);
      const { exit, stdout } = await imafs.system.run(
        [...IMAFS, 'explain', '--json', imafs.at('good')],
        { uid: 1234 },
      );
      assert.equal(exit, 10);
      assert.match(stdout, /"code":"not-allowed"/);
    },
  );
});

describe('the end of a daemon', () => {
  const imafs = useImafs({ policy: POLICY });

  imafs.test('a dead mount is shown as such by all verbs, and umount takes it away', async () => {
    await imafs.daemon.crash();
    const { system, mountpoint } = imafs;
    assert.equal((await verb(system, 'status', mountpoint)).exit, 5);
    assert.equal((await verb(system, 'status')).exit, 3);
    assert.equal((await verb(system, 'ns', 'ls', mountpoint)).exit, 5);
    const checked = await verb(system, 'doctor');
    const found = checked.lines.find(({ about }) => about === `mount ${mountpoint}`);
    assert.equal(found?.['severity'], 'problem');
    const gone = await verb(system, 'umount', mountpoint);
    assert.deepEqual([gone.exit, gone.lines[0]?.['dead']], [0, true]);
    assert.equal((await verb(system, 'umount', mountpoint)).exit, 6);
  });

  imafs.test('mount returns when the mount serves, umount when the daemon has ended', async () => {
    const { system, mountpoint, backing } = imafs;
    const options = `system_ns=self,state=${join(imafs.root, 'state')}`;
    const mounted = await verb(system, 'mount', '-o', options, backing, mountpoint);
    assert.equal(mounted.exit, 0);
    const pid = Number(mounted.lines[0]?.['pid']);
    assert.equal((await verb(system, 'status', mountpoint)).exit, 0);
    const gone = await verb(system, 'umount', mountpoint);
    assert.deepEqual([gone.exit, gone.lines[0]?.['daemonEnded']], [0, true]);
    // Gone, or a zombie that init has not reaped yet.
    const state = await system.run(['grep', '^State:.*[SRD] ', `/proc/${pid}/status`]);
    assert.notEqual(state.exit, 0);
  });

  imafs.test('a daemon that cannot start says why, with its exit code', async () => {
    const { system, mountpoint, backing } = imafs;
    for (const [option, expected, code] of [
      ['system_ns=/nowhere', 1, 'system-namespace'],
      ['system_ns=self,ima_hash=md4', 1, 'bad-mount-option'],
      ['system_ns=self,audit=/nowhere/log', 2, 'bad-audit'],
    ] as const) {
      const options = `${option},state=${join(imafs.root, 'state')}`;
      const { exit, lines } = await verb(system, 'mount', '-o', options, backing, mountpoint);
      assert.deepEqual([exit, lines[0]?.['code']], [expected, code], option);
      assert.match(String(lines[0]?.['message']), /nowhere|md4/);
      assert.equal((await verb(system, 'status', mountpoint)).exit, 5, 'nothing is mounted');
    }
  });
});
