import assert from 'node:assert/strict';
import { test } from 'node:test';

import { commandTable } from '../../../src/cli/commands.js';
import { jsonLines, transcript } from './transcript.js';

const VERBS = commandTable(() => Promise.reject(new Error('unused'))).map(({ name }) => name);

test('help lists every verb and every exit code', async () => {
  const { exit, stdout, stderr } = await transcript('--help');
  assert.equal(exit, 0);
  assert.equal(stderr, '');
  for (const verb of VERBS) assert.match(stdout, new RegExp(`^  ${verb}( |$)`, 'm'));
  for (let code = 0; code <= 11; code++) assert.match(stdout, new RegExp(`^  ${code} +\\S`, 'm'));
});

test('every verb explains itself', async () => {
  for (const verb of VERBS) {
    const { exit, stdout } = await transcript(`${verb} --help`);
    assert.equal(exit, 0, verb);
    assert.match(stdout, new RegExp(`^usage: imafs ${verb}`));
    assert.match(stdout, /--json/);
  }
});

test('every verb prints JSON under --json, the error included, and nothing on stderr', async () => {
  for (const verb of VERBS) {
    const ran = await transcript(`${verb} --json --no-such-option`);
    const [error, ...more] = jsonLines(ran);
    assert.equal(more.length, 0);
    assert.deepEqual(
      { ...error, hints: undefined },
      {
        type: 'error',
        schema: `imafs.${verb.replace(' ', '-')}/1`,
        code: 'unknown-option',
        exit: 1,
        message: 'unknown option --no-such-option',
        hints: undefined,
      },
    );
    assert.equal(ran.stderr, '');
    assert.equal(ran.exit, 1);
  }
});

test('a mistyped verb or option is answered with the one that was meant', async () => {
  const verb = await transcript('unmount /mnt');
  assert.equal(verb.exit, 1);
  assert.match(verb.stderr, /unknown verb 'unmount'\n.*did you mean 'umount'\?/);
  const second = await transcript('policy chek x');
  assert.match(second.stderr, /unknown verb 'policy chek'\n.*did you mean 'policy check'\?/);
  const option = await transcript('label hash --recursiv x');
  assert.match(option.stderr, /unknown option --recursiv\n.*did you mean '--recursive'\?/);
});

test('a family of verbs without its second word lists the second words', async () => {
  const { exit, stderr } = await transcript('ns');
  assert.equal(exit, 1);
  assert.match(stderr, /'ns' needs one of: ls, add/);
});

test('verbs of later releases are unknown', async () => {
  for (const verb of ['verify', 'log export', 'key ls', 'label sign']) {
    assert.equal((await transcript(verb)).exit, 1, verb);
  }
});

test('too few and too many operands are usage errors with the usage line', async () => {
  for (const line of ['mount one', 'mount one two three', 'umount', 'doctor now', 'explain']) {
    const { exit, stderr } = await transcript(line);
    assert.equal(exit, 1, line);
    assert.match(stderr, /hint: usage: imafs /);
  }
});

test('an option without its value, and a value for one that takes none', async () => {
  assert.match((await transcript('policy load a b --ns')).stderr, /--ns needs a value/);
  assert.match((await transcript('doctor --json=yes')).stderr, /--json takes no value/);
});

test('--version names the version', async () => {
  assert.equal((await transcript('--version')).stdout, 'imafs 1.2.3\n');
});

test('the completion script knows the verbs and is a script that bash accepts', async () => {
  const { stdout } = await transcript('completion bash');
  assert.match(stdout, /'policy check'\) words='--json --help'/);
  const { spawnSync } = await import('node:child_process');
  assert.equal(spawnSync('bash', ['-n'], { input: stdout }).status, 0);
});
