import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Addon, NativeTransport } from '../../src/binding/addon-types.js';
import { startDaemon } from '../../src/daemon.js';
import { type DaemonOptions, StartProblem } from '../../src/daemon-options.js';
import { templateByName } from '../../src/ima/template/template.js';

const root = mkdtempSync(join(tmpdir(), 'imafs-daemon-'));
after(() => rmSync(root, { recursive: true }));

const templateOf = (name: string) => {
  const template = templateByName(name);
  assert.ok(template);
  return template;
};

const options: DaemonOptions = {
  backing: root,
  mountpoint: root,
  policy: { kind: 'none' },
  appraise: 'enforce_ns',
  imaHash: 'sha256',
  imaTemplate: templateOf('ima-ng'),
  pcr: 10,
  tpm: 'none',
  tpmRequired: false,
  nsPolicy: 'stack',
  nsMeasure: 'own',
  systemNs: 'self',
  mmapCheck: 'elf',
  auditFile: undefined,
  keysDirectory: undefined,
  stateDirectory: join(root, 'state'),
  controlName: '.ima',
  passthrough: 'rw',
  mountFlags: 0,
  logLevel: 'error',
};

const nothingFirst = (): Promise<void> => Promise.resolve();

/** An addon whose transport does nothing, and what was asked of it. */
const fakeAddon = (
  fault: { start?: Error; notify?: Error; take?: Error; unmount?: Error } = {},
) => {
  const done: string[] = [];
  const transport: Partial<NativeTransport> = {
    start: () => {
      done.push('start');
      if (fault.start !== undefined) throw fault.start;
      return { fsMagic: 0xef53 } as ReturnType<NativeTransport['start']>;
    },
    unmount: (detach) => {
      done.push(`unmount ${detach ? 'lazily' : ''}`);
      if (fault.unmount !== undefined) throw fault.unmount;
    },
    takeUpcalls: () => {
      if (fault.take !== undefined) throw fault.take;
      return [];
    },
  };
  const addon: Partial<Addon> = {
    namespaceOf: () => ({ scope: 1n, scopeName: 1001 }),
    namespaceAt: (path) => {
      throw new Error(`no ${path}`);
    },
    namespaceLives: () => true,
    namespaceIdsAreUnique: () => true,
    lockFile: (path) => openSync(path, 'a'),
    closeDescriptor: closeSync,
    createTransport: () => transport as NativeTransport,
    notifySupervisor: () => {
      if (fault.notify !== undefined) throw fault.notify;
      return false;
    },
  };
  return { addon: addon as Addon, done };
};

test('a fault after mounting unmounts', async () => {
  const { addon, done } = fakeAddon({ notify: new Error('a bug') });
  await assert.rejects(startDaemon(options, nothingFirst, addon), /a bug/);
  assert.deepEqual(done, ['start', 'unmount lazily']);
});

test('whatever fails after mounting is what is told, also where unmounting fails', async () => {
  const bugs = { take: new Error('a bug'), unmount: new Error('EINVAL') };
  const { addon, done } = fakeAddon(bugs);
  // Were anything left open, this process would not end.
  await assert.rejects(
    startDaemon({ ...options, logLevel: 'silent' as 'error' }, nothingFirst, addon),
    /a bug/,
  );
  assert.deepEqual(done, ['start', 'unmount lazily']);
});

test('a transport that cannot be made fails the start', async () => {
  const { addon } = fakeAddon();
  const createTransport = () => {
    throw new Error('no transport');
  };
  await assert.rejects(
    startDaemon(options, nothingFirst, { ...addon, createTransport }),
    /no transport/,
  );
});

test('where mounting itself fails nothing is unmounted: it may be the mount of somebody else', async () => {
  const { addon, done } = fakeAddon({ start: new Error('EBUSY') });
  await assert.rejects(startDaemon(options, nothingFirst, addon), /EBUSY/);
  assert.deepEqual(done, ['start']);
});

test('what comes before the mount comes last, and its failure is that of the start', async () => {
  const { addon, done } = fakeAddon();
  const createTransport: Addon['createTransport'] = (...given) => {
    done.push('transport');
    return addon.createTransport(...given);
  };
  const refuse = (): Promise<void> => {
    done.push('before');
    return Promise.reject(new Error('in use'));
  };
  const starting = startDaemon(options, refuse, { ...addon, createTransport });
  await assert.rejects(starting, /in use/);
  assert.deepEqual(done, ['before']);
});

writeFileSync(join(root, 'file'), '');
for (const [about, change] of [
  ['system-namespace', { systemNs: '/nowhere' }],
  ['hash', { imaHash: 'md4' }],
  ['policy', { policy: { kind: 'text', source: 'f', text: 'bogus' } }],
  ['state', { stateDirectory: join(root, 'file/state') }],
  ['audit', { auditFile: join(root, 'nowhere/log') }],
] as const) {
  test(`a problem with the ${about} is told as one, and nothing is mounted`, async () => {
    const { addon, done } = fakeAddon();
    await assert.rejects(
      startDaemon({ ...options, ...change }, nothingFirst, addon),
      (error) => error instanceof StartProblem && error.about === about,
    );
    assert.deepEqual(done, []);
  });
}
