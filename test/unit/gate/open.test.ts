import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { changeIma } from '../../../src/ima/ima.js';
import { nameOf, policyOf } from '../namespaces/fixture.js';
import { EACCES, GateFixture, O_WRONLY } from './fixture.js';

const RULE = 'appraise fowner=1000';
const CONTAINER = 2n;
const ALLOWED = 0;

test('a labelled file is served and remembered, an unlabelled one refused', async () => {
  const gate = new GateFixture('stack', RULE);
  const good = await gate.opened(gate.good('good'));
  const bad = await gate.opened(gate.transport.add('bad', 'x'));
  assert.deepEqual([good.errno, good.remember], [ALLOWED, true]);
  assert.deepEqual([bad.errno, bad.remember], [EACCES, false]);
});

test('a refusal says what, which rule, why, and what to do', async () => {
  const gate = new GateFixture('stack', 'dont_measure', RULE);
  const file = gate.good('changed');
  gate.transport.rewrite(file, 'other');
  await gate.opened(file);
  const [denial] = gate.namespaces.registry.system.denials.entries();
  assert.equal(denial?.path, '/mnt/changed');
  assert.equal(denial.cause, 'invalid-hash');
  assert.deepEqual(denial.rule, { at: 'test:2', text: RULE });
  assert.match(denial.digestFound ?? '', /^sha256:[0-9a-f]{64}$/);
  assert.match(denial.digestWanted ?? '', /^sha256:[0-9a-f]{64}$/);
  assert.notEqual(denial.digestFound, denial.digestWanted);
  assert.match(denial.hint ?? '', /imafs label hash/);
  assert.deepEqual(gate.audited, ['1001 /mnt/changed invalid-hash']);
});

test('stack: both policies must allow; the refusing one is named, the caller is told', async () => {
  const gate = new GateFixture('stack');
  const container = await gate.namespaces.activated(CONTAINER, [RULE]);
  const file = gate.transport.add('bad', 'x');
  assert.equal((await gate.opened(file, {}, 1n)).errno, ALLOWED);
  assert.equal((await gate.opened(file, {}, CONTAINER)).errno, EACCES);
  assert.equal(container.denials.entries().length, 1);
  assert.equal(gate.namespaces.registry.system.denials.entries().length, 0);

  const { system } = gate.namespaces.registry;
  changeIma(system.ima, { policy: policyOf(RULE) });
  changeIma(container.ima, { policy: policyOf('measure') });
  assert.equal((await gate.opened(file, {}, CONTAINER)).errno, EACCES);
  const [, told] = container.denials.entries();
  assert.deepEqual(told?.rule, { at: 'test:1', text: '' }, "not the text of the system's rule");
  assert.deepEqual([told.judge, told.namespace], [system.name, nameOf(CONTAINER)]);
});

test('replace: the own policy alone counts', async () => {
  const gate = new GateFixture('replace', RULE);
  await gate.namespaces.activated(CONTAINER, ['measure']);
  const file = gate.transport.add('bad', 'x');
  assert.equal((await gate.opened(file, {}, CONTAINER)).errno, ALLOWED);
  assert.equal((await gate.opened(file, {}, 1n)).errno, EACCES);
});

test('borrowed credentials: the stricter of the two results counts', async () => {
  const gate = new GateFixture('stack', `${RULE} uid=5`);
  const file = gate.transport.add('bad', 'x');
  const opens = [
    gate.namespaces.caller(1n, { uid: 5 }),
    gate.namespaces.caller(1n, { uid: 6 }),
    gate.namespaces.caller(1n, { uid: 5, borrowed: true, requestUid: 6 }),
    gate.namespaces.caller(1n, { uid: 6, borrowed: true, requestUid: 5 }),
  ].map((caller) => gate.open.handle(gate.transport.open(file, caller)));
  const answers = await Promise.all(opens);
  assert.deepEqual(
    answers.map(({ errno }) => errno),
    [EACCES, ALLOWED, EACCES, EACCES],
  );
});

test('the digest of a version is read once for all namespaces', async () => {
  const gate = new GateFixture('stack', RULE);
  const file = gate.good('good');
  await gate.opened(file, {}, 1n);
  await gate.opened(file, {}, 5n);
  assert.deepEqual(hashings(gate), ['hash /good']);
});

test('a fresh version is read anew each time it is judged', async () => {
  const gate = new GateFixture('stack', RULE);
  const file = gate.good('good');
  await gate.opened(file, { fresh: true }, 1n);
  await gate.opened(file, { fresh: true }, 5n);
  await gate.opened(file, {}, 6n);
  await gate.opened(file, {}, 7n);
  assert.equal(hashings(gate).length, 3);
});

test('who changes a fresh version leaves it as it is, and is found out nevertheless', async () => {
  const gate = new GateFixture('stack', RULE);
  const file = gate.good('good');
  const asFresh = await gate.opened(file, { fresh: true });
  assert.equal(asFresh.errno, ALLOWED);
  writeFileSync(file.real, 'swapped');
  assert.equal((await gate.opened(file)).errno, EACCES);
});

test('a file that changes while it is read is judged anew', async () => {
  const gate = new GateFixture('stack', RULE);
  const file = gate.good('good');
  let changes = 1;
  gate.transport.meanwhile = () => {
    if (changes === 1) gate.transport.rewrite(file, 'swapped');
    changes -= 1;
  };
  const answer = await gate.opened(file);
  assert.equal(answer.errno, EACCES);
  assert.equal(hashings(gate).length, 2);
});

test('a file that never stands still is not remembered', async () => {
  const gate = new GateFixture('stack', 'audit fowner=1000');
  const file = gate.good('good');
  gate.transport.meanwhile = () => gate.transport.rewrite(file, 'again');
  const answer = await gate.opened(file);
  assert.deepEqual([answer.errno, answer.remember], [ALLOWED, false]);
});

test('an error of ours refuses', async () => {
  const gate = new GateFixture('stack', RULE);
  const file = gate.good('good');
  gate.namespaces.addon.walkProcesses = () => Promise.reject(new Error('no /proc'));
  await assert.doesNotReject(gate.opened(file));
  gate.namespaces.addon.walkProcesses = () =>
    Promise.resolve({ processes: gate.namespaces.processes, isComplete: true });
  await gate.namespaces.activated(CONTAINER, [RULE]);
  gate.namespaces.addon.walkProcesses = () => Promise.reject(new Error('no /proc'));
  await assert.rejects(gate.opened(file, {}, 9n), /no \/proc/);
});

test('an open for writing is noted in the journal and with native before it is answered', async () => {
  const gate = new GateFixture('stack', RULE);
  const file = gate.good('good');
  await gate.opened(file, { flags: O_WRONLY });
  assert.deepEqual(gate.transport.done.slice(-2), ['journal', `unsettled ${file.node}`]);
});

test('what is read while a writer is behind the mount is not kept', async () => {
  const gate = new GateFixture('stack', RULE);
  const file = gate.good('good');
  file.lease = 'busy';
  assert.equal((await gate.opened(file)).remember, false);
  file.lease = 'granted';
  gate.transport.meanwhile = () => {
    file.lease = 'busy';
  };
  assert.equal((await gate.opened(file)).remember, false, 'it came while the file was read');
  gate.transport.meanwhile = () => undefined;
  file.lease = 'granted';
  assert.equal(gate.digests.size, 0);
  // Its stores through a mapping moved no version.
  writeFileSync(file.real, 'other bytes');
  assert.equal((await gate.opened(file)).errno, EACCES);
  assert.equal(gate.transport.leasesHeld, 0);
});

test('where there are no leases, what is read is kept', async () => {
  const gate = new GateFixture('stack', RULE);
  const file = gate.good('good', { lease: 'unsupported' });
  assert.equal((await gate.opened(file)).remember, true);
  assert.equal(gate.digests.size, 1);
});

test('a file with an open handle is read anew for every open', async () => {
  const gate = new GateFixture('stack', RULE);
  const file = gate.good('good');
  assert.equal((await gate.opened(file, { writers: 1 })).errno, ALLOWED);
  writeFileSync(file.real, 'other bytes');
  assert.equal((await gate.opened(file, { writers: 1 })).errno, EACCES);
});

test('a new file passes while it is empty, and then for the namespace that writes it', async () => {
  const gate = new GateFixture('stack', RULE);
  const file = gate.transport.add('new', '', { isNew: true });
  assert.equal((await gate.opened(file, {}, 5n)).errno, ALLOWED, 'empty');
  await gate.write(file, 'half of it', 1n);
  file.lease = 'busy';
  assert.equal((await gate.opened(file, {}, 1n)).errno, ALLOWED);
  assert.equal((await gate.opened(file, {}, 5n)).errno, EACCES);
});

test('a new file that somebody filled behind the mount has no label', async () => {
  const gate = new GateFixture('stack', RULE);
  const file = gate.transport.add('new', '', { isNew: true });
  assert.equal((await gate.opened(file)).errno, ALLOWED);
  gate.transport.rewrite(file, 'evil');
  assert.equal((await gate.opened(file)).errno, EACCES);
});

test('a refused open for writing leaves no trace', async () => {
  const gate = new GateFixture('stack', RULE);
  const file = gate.transport.add('bad', 'x');
  assert.equal((await gate.opened(file, { flags: O_WRONLY })).errno, EACCES);
  assert.equal(file.unsettled, false);
  assert.equal(gate.journal.size, 0);
});

test('an ELF program names its interpreter by the path below the mount', async () => {
  const gate = new GateFixture('stack');
  const elf = gate.transport.add('program', '');
  const head = elfWithInterpreter('/mnt/lib/ld.so');
  const answer = await gate.opened(elf, { exec: true, head });
  assert.equal(answer.successor, '/lib/ld.so');
  const elsewhere = elfWithInterpreter('/lib/ld.so');
  const off = await gate.opened(elf, { exec: true, head: elsewhere });
  assert.equal(off.successor, undefined, 'an interpreter off the mount is no file of ours');
  const second = await gate.opened(elf, { exec: true, succeeding: true, head });
  assert.equal(second.successor, undefined);
});

const hashings = (gate: GateFixture): string[] =>
  gate.transport.done.filter((step) => step.startsWith('hash'));

/** A 64-bit little-endian ELF header with one program header, PT_INTERP. */
function elfWithInterpreter(path: string): Buffer {
  const head = Buffer.alloc(256);
  head.write('\x7fELF\x02\x01', 'latin1');
  head.writeBigUInt64LE(64n, 32);
  head.writeUInt16LE(56, 54);
  head.writeUInt16LE(1, 56);
  head.writeUInt32LE(3, 64);
  head.writeBigUInt64LE(128n, 64 + 8);
  head.writeBigUInt64LE(BigInt(path.length + 1), 64 + 32);
  head.write(`${path}\0`, 128);
  return head;
}

test('a mapping that is gone when it is looked for again may have changed what was read', async () => {
  const gate = new GateFixture('stack', 'appraise func=MMAP_CHECK');
  const file = gate.transport.add('program', '\x7fELF as it was');
  file.xattr = gate.transport.label(file);
  gate.transport.meanwhile = () => {
    gate.transport.meanwhile = () => undefined;
    file.lease = 'busy';
    setTimeout(() => {
      writeFileSync(file.real, '\x7fELF otherwise');
      file.lease = 'granted';
    }, 2);
  };
  assert.equal((await gate.opened(file)).errno, EACCES);
  const [denial] = gate.namespaces.registry.system.denials.entries();
  assert.equal(denial?.cause, 'invalid-hash');
});
