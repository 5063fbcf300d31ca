import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ListBytes } from '../../../src/control/list-file.js';
import { Fixture, O_WRONLY } from './fixture.js';

const POLLIN = 1;

interface Line {
  readonly cause: string;
  readonly namespace: number;
  readonly detail: { readonly mode: string };
}

const parsed = (line: string): Line => JSON.parse(line) as Line;

test('namespaces lists numbers, one a line: all for the system, its own for another', async () => {
  const fixture = new Fixture();
  assert.equal(
    await fixture.read(fixture.caller(fixture.system), 'namespaces'),
    '4026531841\n4026532001\n4026532002\n4026532003\n',
  );
  assert.equal(await fixture.read(fixture.caller(fixture.container), 'namespaces'), '4026532001\n');
  assert.equal(await fixture.read(fixture.caller(fixture.inactive), 'namespaces'), '');
});

test('namespaces takes a decimal number from the system only', async () => {
  const fixture = new Fixture();
  const root = fixture.caller(fixture.system);
  assert.equal(await fixture.write(root, 'namespaces', '4026532004\n'), undefined);
  assert.equal(await fixture.write(root, 'namespaces', '4026532004'), undefined);
  for (const text of ['x\n', '\n', '0x10\n', '-1\n', '1 2\n', '99999999999\n', '4294967296\n']) {
    assert.equal(await fixture.write(root, 'namespaces', text), 'EINVAL', text);
  }
  assert.equal(await fixture.write(root, 'namespaces', '1\n'), 'ENOENT');
  const container = fixture.caller(fixture.container);
  assert.equal(await fixture.openError(container, 'namespaces', O_WRONLY), 'EPERM');
  assert.deepEqual(fixture.done, ['activate 4026532004', 'activate 4026532004', 'activate 1']);
});

test('namespaces has one writer at a time, and policy is not busy for that', async () => {
  const fixture = new Fixture();
  const root = fixture.caller(fixture.system);
  const file = await fixture.open(root, 'namespaces', O_WRONLY);
  assert.equal(await fixture.openError(root, 'namespaces', O_WRONLY), 'EBUSY');
  assert.equal(await fixture.openError(root, 'mode', O_WRONLY), undefined);
  await file.release();
  assert.equal(await fixture.openError(root, 'namespaces', O_WRONLY), undefined);
});

test('a namespace that is not active sees its own empty view and can activate itself', async () => {
  const fixture = new Fixture();
  const root = fixture.caller(fixture.inactive);
  assert.equal(await fixture.read(root, 'active'), '0\n');
  assert.equal(await fixture.read(root, 'mode'), 'enforce\n');
  assert.equal(await fixture.read(root, 'hash'), 'sha256\n');
  assert.equal(await fixture.read(root, 'template_name'), 'ima-ng\n');
  assert.equal(await fixture.read(root, 'runtime_measurements_count'), '0\n');
  assert.equal(await fixture.read(root, 'violations'), '0\n');
  assert.equal(await fixture.read(root, 'ascii_runtime_measurements_sha256'), '');
  for (const text of ['0\n', '11\n', 'yes', '\n']) {
    assert.equal(await fixture.write(root, 'active', text), 'EINVAL', text);
  }
  assert.equal(await fixture.write(root, 'active', '1\n'), undefined);
  assert.deepEqual(fixture.done, ['activate self 5']);
});

test('an active namespace cannot be activated again', async () => {
  const fixture = new Fixture();
  const root = fixture.caller(fixture.container);
  assert.equal(await fixture.read(root, 'active'), '1\n');
  assert.equal(await fixture.write(root, 'active', '1'), 'EBUSY');
});

test('settings hand on the errors of what they set', async () => {
  const fixture = new Fixture();
  const root = fixture.caller(fixture.container);
  assert.equal(await fixture.write(root, 'mode', 'log\n'), undefined);
  assert.equal(await fixture.write(root, 'hash', 'crc32\n'), 'EINVAL');
  assert.equal(await fixture.write(root, 'template_name', 'ima-gn\n'), 'EINVAL');
  assert.equal(await fixture.read(root, '4026532001/tpm'), 'none\n');
  assert.equal(await fixture.write(root, '4026532001/tpm', 'auto\n'), undefined);
  assert.ok(fixture.done.includes('tpm 4026532001 auto by 2'));
  assert.deepEqual(await fixture.names(root, '4026532001/keys'), [
    '.ima',
    '.blacklist',
    '.builtin_trusted_keys',
    '.ima.pem',
    '.builtin_trusted_keys.pem',
  ]);
});

test('a list read on an old descriptor shows new entries at stable offsets', async () => {
  const fixture = new Fixture();
  let text = 'one\n';
  const current: ListBytes = {
    count: 1,
    violations: 2,
    read: (_form, _bank, offset, size) => Buffer.from(text).subarray(offset, offset + size),
  };
  fixture.list = {
    current,
    tpm: { name: 'swtpm:path=/s' },
    pcrValues: () => Promise.resolve(new Map([[10, Buffer.from('abcd', 'hex')]])),
  };
  const root = fixture.caller(fixture.system);
  const reader = await fixture.open(root, 'ascii_runtime_measurements');
  assert.equal(await reader.read(0, 2), 'on');
  assert.equal(await reader.read(2), 'e\n');
  assert.equal(await reader.read(4), '');
  text += 'two\n';
  assert.equal(await reader.read(4), 'two\n');
  assert.equal(await reader.read(0), 'one\ntwo\n');
  assert.equal(await fixture.read(root, 'violations'), '2\n');
  assert.equal(await fixture.read(root, 'pcrs_sha1'), 'PCR-10: ABCD\n');
  assert.equal(await fixture.read(root, '4026532001/tpm'), 'swtpm:path=/s\n');
});

test('label takes hash, clear and sig; a path may hold blanks and any bytes', async () => {
  const fixture = new Fixture();
  const root = fixture.caller(fixture.container);
  assert.equal(await fixture.write(root, '4026532001/label', 'hash /a b/c \n'), undefined);
  assert.equal(await fixture.write(root, '4026532001/label', 'clear /x'), undefined);
  const signature = '030204d33204490002abcd';
  assert.equal(await fixture.write(root, '4026532001/label', `sig ${signature} /x y\n`), undefined);
  assert.equal(await fixture.write(root, '4026532001/label', `sig 0x${signature} /z`), undefined);
  const odd = Buffer.from('hash /\xff\n', 'latin1');
  assert.equal(await fixture.write(root, '4026532001/label', odd), undefined);
  for (const text of ['hash\n', 'hash \n', 'bogus /x\n', '\n', '/x\n', `sig ${signature}\n`]) {
    assert.equal(await fixture.write(root, '4026532001/label', text), 'EINVAL', text);
  }
  assert.deepEqual(fixture.done, [
    'hash /a b/c  for 4026532001',
    'clear /x for 4026532001',
    `sig ${signature} /x y for 4026532001`,
    `sig ${signature} /z for 4026532001`,
    'hash /\uf7ff for 4026532001',
  ]);
});

test('sig takes whole signatures of the two kinds that security.ima has', async () => {
  const fixture = new Fixture();
  const root = fixture.caller(fixture.container);
  for (const hex of ['', '0', '04', '0404aa', '0302', '050204d33204490002abcd', 'xyz']) {
    const text = `sig ${hex} /x\n`;
    assert.equal(await fixture.write(root, '4026532001/label', text), 'EINVAL', text);
  }
  for (const hex of ['030204d33204490000', '030204d33204490003abcd', '030204d33204490001abcd']) {
    const text = `sig ${hex} /x\n`;
    assert.equal(await fixture.write(root, '4026532001/label', text), 'EINVAL', text);
  }
  const verity = 'sig 060304d33204490002abcd /x\n';
  assert.equal(await fixture.write(root, '4026532001/label', verity), undefined);
});

test('of a line longer than a page no path is taken', async () => {
  const fixture = new Fixture();
  const root = fixture.caller(fixture.container);
  const line = `hash /${'x'.repeat(4096)}\n`;
  assert.equal(await fixture.write(root, '4026532001/label', line), 'ENAMETOOLONG');
  assert.deepEqual(fixture.done, []);
});

test('events are read on, and polling wakes the reader once for each time it asked', async () => {
  const fixture = new Fixture();
  const reader = await fixture.open(fixture.caller(fixture.container), '4026532001/events');
  assert.equal(await reader.poll(), POLLIN | 0x40);
  assert.match(await reader.read(), /^\{.*"event":"activated".*\}\n$/);
  assert.equal(await reader.read(), '');
  assert.equal(await reader.poll(77n), 0);

  fixture.container.record('mode', { mode: 'log' });
  fixture.container.record('mode', { mode: 'fix' });
  assert.deepEqual(fixture.notified, [77n]);
  assert.equal((await reader.poll(77n)) !== 0, true);
  const lines = (await reader.read()).trimEnd().split('\n');
  assert.deepEqual(
    lines.map((line) => parsed(line).detail.mode),
    ['log', 'fix'],
  );
  await reader.release();
  fixture.container.record('mode', { mode: 'off' });
  assert.deepEqual(fixture.notified, [77n]);
});

test('a reader of events that came too late is told how many it missed', async () => {
  const fixture = new Fixture();
  const reader = await fixture.open(fixture.caller(fixture.container), '4026532001/events');
  await reader.read();
  const { capacity } = fixture.container.events;
  for (let i = 0; i < capacity + 3; i++) fixture.container.record('mode', { i });
  let text = '';
  for (let part = await reader.read(0, 100); part !== ''; part = await reader.read(0, 100)) {
    text += part;
  }
  const lines = text.trimEnd().split('\n').map(parsed);
  assert.deepEqual(lines[0], { event: 'lost', detail: { events: 3 } });
  assert.equal(lines.length, capacity + 1);
});

test('whoever waits for events of a namespace is woken by its end', async () => {
  const fixture = new Fixture();
  const reader = await fixture.open(fixture.caller(fixture.system), '4026532001/events');
  await reader.read();
  await reader.poll(5n);
  fixture.container.retire();
  assert.deepEqual(fixture.notified, [5n]);
  assert.equal(((await reader.poll()) ?? 0) & 0x10, 0x10);
});

test('denials are JSON lines, status is one JSON object', async () => {
  const fixture = new Fixture();
  const root = fixture.caller(fixture.container);
  assert.equal(await fixture.read(root, '4026532001/denials'), '');
  fixture.container.denials.add({
    time: '2026-11-22T00:00:00.000Z',
    judge: 4_026_532_001,
    policyOf: 'own',
    namespace: 4_026_532_001,
    operation: 'read',
    hook: 'FILE_CHECK',
    path: '/a',
    pid: 1,
    comm: 'cat',
    rule: { at: 'policy:1', text: 'appraise' },
    cause: 'missing-hash',
    digestFound: undefined,
    digestWanted: undefined,
    errno: 'EACCES',
    hint: undefined,
    command: undefined,
  });
  const [line = ''] = (await fixture.read(root, '4026532001/denials')).split('\n');
  assert.equal(parsed(line).cause, 'missing-hash');
  const status = parsed(await fixture.read(root, '4026532001/status'));
  assert.equal(status.namespace, 4_026_532_001);
});

test('two writers of one descriptor are served one after the other', async () => {
  const order: string[] = [];
  const fixture = new Fixture({
    labeller: {
      label: async ({ path }) => {
        order.push(`begin ${path}`);
        await new Promise((resolve) => setTimeout(resolve, path === '/a' ? 20 : 0));
        order.push(`end ${path}`);
        return undefined;
      },
    },
  });
  const file = await fixture.open(fixture.caller(fixture.container), '4026532001/label', O_WRONLY);
  await Promise.all([file.write('hash /a\n'), file.write('hash /b\n'), file.release()]);
  assert.deepEqual(order, ['begin /a', 'end /a', 'begin /b', 'end /b']);
});
