import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { SLOWNESS } from '../../helpers/slowness.js';
import { jsonLines, transcript } from './transcript.js';

const work = mkdtempSync(join(tmpdir(), 'imafs-verbs-'));
mkdirSync(join(work, 'a/b'), { recursive: true });
after(() => {
  rmSync(work, { recursive: true, force: true });
});

test('policy check accepts a good file and counts its rules', async () => {
  const path = join(work, 'good');
  writeFileSync(path, '# comment\nappraise fowner=0\n\nmeasure func=BPRM_CHECK mask=MAY_EXEC');
  const { exit, stdout } = await transcript(`policy check ${path}`);
  assert.deepEqual([exit, stdout], [0, `${path}: ok, 2 rules\n`]);
});

test('policy check names line, column, word and a hint, for every bad line', async () => {
  const path = join(work, 'bad');
  writeFileSync(path, 'appraise fowner=0\nappraise fownr=0\nmeasure fowner=x\n');
  const plain = await transcript(`policy check ${path}`);
  assert.equal(plain.exit, 7);
  assert.match(
    plain.stdout,
    new RegExp(`^${path}:2:10: 'fownr=0': .*\n  hint: did you mean fowner=`),
  );
  assert.match(plain.stdout, new RegExp(`^${path}:3:`, 'm'));
  const lines = jsonLines(await transcript(`policy check --json ${path}`));
  assert.deepEqual(
    lines.map(({ type, line }) => [type, line]),
    [
      ['problem', 2],
      ['problem', 3],
      ['policy', undefined],
      ['error', undefined],
    ],
  );
});

test('a policy file that is not there is a policy error', async () => {
  const { exit, stderr } = await transcript(`policy check ${work}/none`);
  assert.equal(exit, 7);
  assert.match(stderr, /none cannot be read: ENOENT\n.*built-in names such as tcb/);
  assert.equal((await transcript(`policy check ${work}`)).exit, 7);
});

test('policy check takes names of built-in policies, unless a file has that name', async () => {
  const { exit, stdout } = await transcript('policy check tcb|critical_data secure_boot');
  assert.equal(exit, 0);
  assert.match(stdout, /^tcb\|critical_data: ok, \d+ rules \(built in\)\nsecure_boot: ok, 4 rules/);
  assert.match(
    (await transcript('policy check tcb|tbc')).stderr,
    /tcb\|tbc cannot be read: ENOENT/,
  );
});

test('policy check names what editors of other systems do to a file', async () => {
  const path = join(work, 'odd');
  for (const [content, place] of [
    [Buffer.from('measure\r\naudit\r\n'), '1:8: lines end with a carriage return'],
    [Buffer.from('\ufeffmeasure\n', 'utf16le'), '1:1: the file is UTF-16'],
    [Buffer.from('measure\n\0audit\n'), '2:1: the file has a NUL byte'],
    [Buffer.from('\ufeffmeasure\n'), '1:1: the file begins with a byte order mark'],
  ] as const) {
    writeFileSync(path, content);
    const { exit, stdout } = await transcript(`policy check ${path}`);
    assert.deepEqual([exit, stdout.split('\n').length], [7, 3], stdout);
    assert.ok(stdout.startsWith(`${path}:${place}`), stdout);
  }
});

test('policy check of a file with Windows line ends has its other problems too', async () => {
  const path = join(work, 'windows');
  writeFileSync(path, 'measure\r\nappraise fownr=0\r\n');
  const { stdout } = await transcript(`policy check ${path}`);
  assert.match(stdout, /windows:2:10: 'fownr=0': unknown word 'fownr=0'\n.*fowner=/);
});

test('policy check keeps a terminal and its reader from what is in a file', async () => {
  const path = join(work, 'hostile');
  writeFileSync(path, `${'x'.repeat(1000)}\n\u001b[31m\n${'y\n'.repeat(1000)}`);
  const plain = await transcript(`policy check ${path}`);
  assert.ok(!plain.stdout.includes('\u001b'));
  assert.match(plain.stdout, /'\\u001b\[31m'/);
  assert.match(plain.stdout, /not read any further than 100 problems\n$/);
  assert.ok(Math.max(...plain.stdout.split('\n').map(({ length }) => length)) < 700);
  assert.equal(jsonLines(await transcript(`policy check --json ${path}`)).length, 102);
});

test('policy check of what is too long to be a policy ends', async () => {
  const { exit, stderr } = await transcript('policy check /dev/zero');
  assert.equal(exit, 7);
  assert.match(stderr, /more than 32 MiB/);
});

test('policy check of a long policy, right or wrong, takes no time', async () => {
  const path = join(work, 'long');
  writeFileSync(path, 'appraise func=FILE_CHECK mask=MAY_READ fowner=1000\n'.repeat(200_000));
  const began = performance.now();
  assert.match((await transcript(`policy check ${path}`)).stdout, /ok, 200000 rules/);
  writeFileSync(path, 'appraise fuc=FILE_CHECK mask=MAY_READ fowner=1000\n'.repeat(200_000));
  assert.equal((await transcript(`policy check ${path}`)).exit, 7);
  assert.ok(performance.now() - began < 20_000 * SLOWNESS);
});

test('verbs that need a daemon say that there is none', async () => {
  for (const verb of [
    'status',
    'explain',
    'policy show',
    'ns ls',
    'key ls',
    'log show',
    'log verify',
  ]) {
    const { exit, stderr } = await transcript(`${verb} ${work}`);
    assert.equal(exit, 5, verb);
    assert.match(stderr, /is not on an imafs mount/);
  }
});

test('umount of what is no imafs mount is refused', async () => {
  assert.equal((await transcript(`umount ${work}`)).exit, 6);
  assert.equal((await transcript(`umount ${work}/none`)).exit, 6);
});

test('mount refuses bad places before it starts anything', async () => {
  const { exit, stderr } = await transcript(`mount ${work}/none ${work}`);
  assert.equal(exit, 6);
  assert.match(stderr, /backing directory .*none does not exist/);
  const inside = await transcript(`mount ${work}/a ${work}/a/b`);
  assert.equal(inside.exit, 6);
  assert.match(inside.stderr, /lies inside the backing directory/);
});

test('mount refuses a bad policy before it starts anything', async () => {
  const path = join(work, 'bad-policy');
  writeFileSync(path, 'appraise nonsense=1\n');
  const { exit, stderr } = await transcript(`mount -o policy=${path} ${work}/a ${work}/a`);
  assert.equal(exit, 7);
  assert.match(stderr, /bad-policy:1:10: /);
});

test('status shows a line for each mount there is', async () => {
  const lines = jsonLines(await transcript('status --json'));
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split(' - fuse.imafs ').length - 1;
  assert.ok(lines.length <= mounts);
  for (const { schema } of lines) assert.equal(schema, 'imafs.status/1');
});

test('doctor gives each finding a severity, and a remedy to what is wrong', async () => {
  const { exit, ...rest } = await transcript('doctor --json');
  const findings = jsonLines({ exit, ...rest });
  assert.ok(findings.length >= 7);
  const worst = findings.map(({ severity }) => severity);
  for (const { severity, remedy } of findings) {
    if (severity === 'problem' || severity === 'missing') assert.equal(typeof remedy, 'string');
  }
  assert.equal(exit, worst.includes('missing') ? 10 : worst.includes('problem') ? 3 : 0);
});
