import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { IMAFS } from '../../helpers/project.js';
import { jsonLines, transcript } from './transcript.js';

const work = mkdtempSync(join(tmpdir(), 'imafs-lint-'));
after(() => {
  rmSync(work, { recursive: true, force: true });
});

function policy(name: string, ...lines: string[]): string {
  const path = join(work, name);
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
  return path;
}

test('a finding names line, severity, why, code, rule and remedy', async () => {
  const path = policy(
    'shadow',
    '# comment',
    'appraise fowner=0',
    'dont_appraise fowner=0 fsname=proc',
  );
  const { exit, stdout, stderr } = await transcript(`policy lint ${path}`);
  assert.equal(exit, 3);
  assert.equal(
    stdout,
    [
      `${path}:3: error: whatever it matches is decided by line 2: appraise fowner=0 [shadowed]`,
      '    dont_appraise fsname=proc fowner=0',
      '  remedy: move it before line 2',
      `${path}: 1 error, 0 warnings, 0 notes`,
      '',
    ].join('\n'),
  );
  assert.match(stderr, /1 error, 0 warnings, 0 notes/);
});

test('JSON has a line for each finding, one for each policy, and the error', async () => {
  const path = policy('notes', 'appraise fowner=1000', 'audit mask=MAY_APPEND');
  const { exit, ...rest } = await transcript(`policy lint --json ${path} tcb`);
  assert.equal(exit, 3);
  const [note, error, summary, ...more] = jsonLines({ exit, ...rest });
  assert.deepEqual(
    [note?.['type'], note?.['line'], note?.['severity'], note?.['code'], note?.['rule']],
    ['finding', 1, 'note', 'digest-of-writer', 'appraise fowner=1000'],
  );
  assert.equal(typeof note?.['message'], 'string');
  assert.equal(typeof note?.['remedy'], 'string');
  assert.equal(error?.['code'], 'unreachable');
  const { file, valid, rules, errors, warnings, notes } = summary ?? {};
  assert.deepEqual([file, valid, rules, errors, warnings, notes], [path, true, 2, 1, 0, 1]);
  assert.equal(more.at(-1)?.['code'], 'policy-findings');
});

test('nothing but notes is no problem', async () => {
  assert.equal((await transcript(`policy lint ${policy('note', 'appraise fowner=7')}`)).exit, 0);
  assert.equal((await transcript('policy lint tcb|appraise_tcb')).exit, 0);
});

test('a policy that is not valid has its problems told, and exit code 7, whatever else is found', async () => {
  const [bad, odd] = [policy('bad', 'appraise fownr=0'), policy('odd', 'dont_audit')];
  const { exit, ...rest } = await transcript(`policy lint --json ${odd} ${bad}`);
  assert.equal(exit, 7);
  const types = jsonLines({ exit, ...rest }).map(({ type }) => type);
  assert.deepEqual(types, ['finding', 'finding', 'policy', 'problem', 'policy', 'error']);
});

test('--backing compares with the file system of a directory', async () => {
  const path = policy('magic', 'audit fsmagic=0x9fa0');
  const { stdout, exit } = await transcript(`policy lint --backing ${work} ${path}`);
  assert.equal(exit, 3);
  assert.match(stdout, /error: the directory .* its fsmagic is 0x[0-9a-f]+ \[other-file-system\]/);
  assert.equal((await transcript(`policy lint --backing /proc ${path}`)).exit, 0);
  assert.equal((await transcript(`policy lint --backing ${work}/none ${path}`)).exit, 6);
});

test('check, lint and test read a policy from standard input', () => {
  const input = 'appraise fowner=0\nappraise fowner=0\n';
  const run = (...words: string[]) => {
    const [node = '', ...imafs] = IMAFS;
    return spawnSync(node, [...imafs, ...words], { input, encoding: 'utf8' });
  };
  assert.equal(run('policy', 'check', '-').stdout, 'standard input: ok, 2 rules\n');
  const linted = run('policy', 'lint', '-');
  assert.deepEqual([linted.status, linted.stdout.split(':')[1]], [3, '2']);
  const file = join(work, 'file');
  writeFileSync(file, 'x');
  assert.equal(run('policy', 'test', '--policy', '-', file).status, 4);
});
