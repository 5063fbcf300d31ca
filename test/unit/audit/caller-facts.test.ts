import assert from 'node:assert/strict';
import { readFileSync, readlinkSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { readCallerFacts } from '../../../src/audit/caller-facts.js';
import { createDeviceName } from '../../../src/audit/device-name.js';

test('the facts of this very process', async () => {
  const facts = await readCallerFacts(process.pid);
  const comm = readFileSync('/proc/self/comm', 'utf8').trimEnd();
  assert.equal(Buffer.from(facts.comm).toString(), comm);
  assert.equal(Buffer.from(facts.exe ?? []).toString(), readlinkSync('/proc/self/exe'));
  assert.equal(facts.parent, process.ppid);
  assert.match(facts.tty, /^(\(none\)|pts\d+|tty\w+)$/);
});

test('a thread that is gone has no facts, and asking does not fail', async () => {
  const facts = await readCallerFacts(4_000_000);
  assert.deepEqual(
    { ...facts, comm: Buffer.from(facts.comm).toString() },
    {
      auid: 4_294_967_295,
      session: 4_294_967_295,
      comm: '?',
      exe: undefined,
      subject: undefined,
      parent: 0,
      tty: '(none)',
    },
  );
});

test('a device is called as the kernel calls its super block', async () => {
  const device = (path: string): string => {
    const { dev } = statSync(path);
    return `${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}`;
  };
  const deviceName = createDeviceName();
  assert.equal(await deviceName(device('/proc')), 'proc');
  assert.equal(await deviceName('0:999999'), '0:999999');
});
