import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

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
  assert.equal((await transcript(`policy check ${work}/none`)).exit, 7);
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
