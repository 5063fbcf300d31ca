import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { runOptions } from '../../../src/cli/run-options.js';
import { parsePolicy } from '../../../src/ima/policy/parse-policy.js';
import { policyMachine } from '../../helpers/policy-machine.js';
import { transcript } from './transcript.js';

const work = mkdtempSync(join(tmpdir(), 'imafs-run-options-'));
after(() => {
  rmSync(work, { recursive: true });
});

test('policy= and tpm= are the namespace’s, the rest is the mount’s', () => {
  const path = join(work, 'policy');
  writeFileSync(path, 'measure fowner=1\n');
  const options = runOptions([`tpm=none,policy=${path}`, 'passthrough=off,tpm=auto', 'pcr=11']);
  assert.deepEqual(options, {
    policy: { source: path, text: 'measure fowner=1\n' },
    tpm: 'auto',
    mountOptions: ['system_ns=self', 'tpm=none', 'passthrough=off', 'pcr=11'],
  });
});

test('without options there are no rules, and the TPM is a swtpm', () => {
  const { policy, tpm } = runOptions([]);
  assert.deepEqual([policy, tpm], [undefined, 'swtpm']);
});

test('built-in policies become the lines that they are', () => {
  const { policy } = runOptions(['policy=tcb|appraise_tcb']);
  const parsed = parsePolicy(policy?.text ?? '', 'text', policyMachine);
  assert.ok(parsed.ok);
  assert.ok(parsed.value.some(({ action }) => action === 'measure'));
  assert.ok(parsed.value.some(({ action }) => action === 'appraise'));
});

test('what is wrong is told before anything is started', async () => {
  const path = join(work, 'bad');
  writeFileSync(path, 'measure nonsense=1\n');
  assert.equal((await transcript(`run -o policy=${path} ${work} -- true`)).exit, 7);
  assert.equal((await transcript(`run -o policy=${work}/none ${work} -- true`)).exit, 7);
  assert.equal((await transcript(`run ${work}`)).exit, 1);
});

test('words after -- are the command’s, --json too', async () => {
  const { stdout, stderr } = await transcript(`run -o policy=${work}/none ${work} -- true --json`);
  assert.equal(stdout, '');
  assert.match(stderr, /cannot be read/);
});
