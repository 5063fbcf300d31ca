import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { AuditLog, type AuditParts } from '../../../src/audit/audit-log.js';
import type { AuditCaller, CallerFacts } from '../../../src/audit/caller-facts.js';
import { FileSink } from '../../../src/audit/file-sink.js';
import { createLog } from '../../../src/base/log.js';

const directory = mkdtempSync(join(tmpdir(), 'imafs-audit-'));
after(() => rmSync(directory, { recursive: true }));

const zeros = { uid: 0, euid: 0, suid: 0, fsuid: 0, gid: 0, egid: 0, sgid: 0, fsgid: 0 };
const caller: AuditCaller = { tid: 281, pid: 280, credentials: { ...zeros, uid: 71_452 } };

const FACTS: CallerFacts = {
  auid: 4_294_967_295,
  session: 4_294_967_295,
  comm: Buffer.from('cat'),
  exe: Buffer.from('/bin/busybox'),
  subject: undefined,
  parent: 159,
  tty: '(none)',
};

let files = 0;

/** An audit log into a fresh file, and what it wrote. */
const auditing = async (change: Partial<AuditParts> = {}) => {
  const file = join(directory, `audit-${files++}`);
  const json: string[] = [];
  const sink = change.sink ?? (await FileSink.open(file, () => undefined));
  const audit = new AuditLog({
    log: createLog('info', { write: (line) => void json.push(line) }),
    readCallerFacts: () => Promise.resolve(FACTS),
    deviceName: () => Promise.resolve('vda'),
    now: () => 1_795_313_680_554,
    ...change,
    sink,
  });
  after(() => audit.close());
  const access = {
    namespace: 4_026_532_208,
    caller,
    path: '/mnt/no_xattr',
    device: '8:1',
    ino: 20n,
  };
  const lines = (): string[] =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
  return { audit, access, json, lines, file };
};

const refusal = {
  type: 1800,
  op: 'appraise_data',
  cause: 'missing-hash',
  result: 0,
  errno: 0,
} as const;

test('1800 is the line of the kernel, with mnt_ns= after name=', async () => {
  const { audit, access, lines } = await auditing();
  const port = audit.forAccess(access);
  port.integrity(refusal);
  await port.settled();
  assert.deepEqual(lines(), [
    'type=1800 audit(1795313680.554:1): pid=280 uid=71452 auid=4294967295 ses=4294967295 ' +
      'op=appraise_data cause=missing-hash comm="cat" name="/mnt/no_xattr" mnt_ns=4026532208 ' +
      'dev="vda" ino=20 res=0 errno=0',
  ]);
});

test('an LSM context stands after ses=', async () => {
  const { audit, access, lines } = await auditing({
    readCallerFacts: () => Promise.resolve({ ...FACTS, subject: 'unconfined' }),
  });
  const port = audit.forAccess(access);
  port.integrity(refusal);
  await port.settled();
  assert.match(lines()[0] ?? '', / ses=4294967295 subj=unconfined op=appraise_data /);
});

test('1805 is the line of the audit action', async () => {
  const { audit, access, lines } = await auditing();
  const port = audit.forAccess({ ...access, path: '/mnt/b c' });
  port.measurement({ algorithm: 'sha256', bytes: Buffer.from('0263', 'hex') });
  await port.settled();
  assert.deepEqual(lines(), [
    'type=1805 audit(1795313680.554:1): file=2F6D6E742F622063 hash="sha256:0263" ' +
      'mnt_ns=4026532208 dev="vda" ino=20 ppid=159 pid=280 auid=4294967295 uid=71452 gid=0 euid=0 ' +
      'suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=(none) ses=4294967295 comm="cat" exe="/bin/busybox"',
  ]);
});

test('1802 and 1807 name the namespace too', async () => {
  const { audit, lines } = await auditing();
  await audit.policyRule({
    namespace: 7,
    words: [
      { key: 'action', operator: '=', value: 'measure' },
      { key: 'uid', operator: '<', value: '5' },
    ],
    result: 0,
  });
  const event = { namespace: 7, caller, op: 'policy_update', cause: 'completed' } as const;
  await audit.status({ ...event, result: 1, errno: 0 });
  assert.deepEqual(lines(), [
    'type=1807 audit(1795313680.554:1): action=measure uid<5 mnt_ns=7 res=0',
    'type=1802 audit(1795313680.554:2): pid=280 uid=71452 auid=4294967295 ses=4294967295 ' +
      'op=policy_update cause=completed comm="cat" mnt_ns=7 res=1 errno=0',
  ]);
});

test('no value can forge a field or a line', async () => {
  const { audit, access, lines } = await auditing({
    readCallerFacts: () => Promise.resolve({ ...FACTS, comm: Buffer.from('x" res=1\ntype=1800') }),
  });
  const port = audit.forAccess({ ...access, path: '/a\n"b' });
  port.integrity(refusal);
  await port.settled();
  const word = { key: 'UNKNOWN', operator: '=', value: 'x\u001b[2J' } as const;
  await audit.policyRule({ namespace: 7, words: [word], result: 0 });
  assert.equal(lines().length, 2);
  assert.match(lines()[0] ?? '', / comm=78222[0-9A-F]+ name=2F610A2262 /);
  assert.match(lines()[1] ?? '', /: UNKNOWN=781B5B324A mnt_ns=7 res=0$/);
});

test('the log gets the same fields as JSON', async () => {
  const { audit, access, json } = await auditing();
  const port = audit.forAccess(access);
  port.integrity(refusal);
  await port.settled();
  const line = JSON.parse(json[0] ?? '') as { msg: string; audit: Record<string, unknown> };
  assert.equal(line.msg, 'audit');
  assert.deepEqual(Object.keys(line.audit).slice(0, 4), ['type', 'serial', 'timeMs', 'pid']);
  assert.equal(line.audit['cause'], 'missing-hash');
  assert.equal(line.audit['mnt_ns'], 4_026_532_208);
});

test('records are written in the order in which they were made, however long facts take', async () => {
  let first = true;
  const { audit, access, lines } = await auditing({
    readCallerFacts: async () => {
      const wait = first ? 20 : 0;
      first = false;
      await new Promise((resolve) => setTimeout(resolve, wait));
      return FACTS;
    },
  });
  const slow = audit.forAccess(access);
  const quick = audit.forAccess({ ...access, path: '/quick' });
  slow.integrity(refusal);
  quick.integrity(refusal);
  await Promise.all([slow.settled(), quick.settled()]);
  assert.deepEqual(
    lines().map((line) => /name="(.*?)"/.exec(line)?.[1]),
    ['/mnt/no_xattr', '/quick'],
  );
});

test('a record that cannot be made is counted, and the next ones are written', async () => {
  let first = true;
  const { audit, access, lines } = await auditing({
    readCallerFacts: () => {
      const isFirst = first;
      first = false;
      return isFirst ? Promise.reject(new Error('bug')) : Promise.resolve(FACTS);
    },
  });
  const port = audit.forAccess(access);
  port.integrity(refusal);
  await port.settled();
  const next = audit.forAccess(access);
  next.integrity(refusal);
  await next.settled();
  assert.equal(lines().length, 1);
  assert.equal(audit.health().lost, 1);
});

test('a full disk is reported, counted and shown, and nobody is left waiting', async () => {
  const failures: string[] = [];
  const sink = await FileSink.open('/dev/full', ({ message }) => failures.push(message));
  const { audit, access } = await auditing({ sink });
  const port = audit.forAccess(access);
  port.integrity(refusal);
  await port.settled();
  assert.equal(failures.length, 1);
  const { sink: health } = audit.health();
  assert.equal(health?.failed, 1);
  assert.match(health.lastError ?? '', /ENOSPC/);
});
