/** `verify` on what evmctl and imafs label and sign. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { labelFile, labelOf, setLabel } from '../helpers/label.js';
import { skipUnless } from '../helpers/skip.js';
import { jsonLines, transcript } from '../unit/cli/transcript.js';

const work = mkdtempSync(join(tmpdir(), 'imafs-verify-'));
const keys = join(work, 'keys');
const at = (name: string): string => join(work, name);

function openssl(...words: readonly string[]): void {
  execFileSync('openssl', words, { cwd: work, stdio: 'ignore' });
}

before(() => {
  mkdirSync(keys);
  openssl('genrsa', '-out', 'rsa', '2048');
  openssl('genrsa', '-out', 'stranger', '2048');
  openssl('ecparam', '-name', 'prime256v1', '-genkey', '-out', 'ec');
  for (const name of ['rsa', 'ec']) {
    const self = ['-x509', '-new', '-subj', '/O=imafs/CN=tests', '-outform', 'der'];
    openssl('req', '-key', name, ...self, '-out', `keys/${name}.der`);
  }
});
after(() => {
  rmSync(work, { recursive: true, force: true });
});

function file(name: string, content = name): string {
  const path = at(name);
  writeFileSync(path, content);
  return path;
}

/** `--json` line of one file. */
async function verified(path: string, words = ''): Promise<Record<string, unknown> | undefined> {
  const ran = await transcript(`verify --json ${words} ${path}`);
  const [line] = jsonLines(ran);
  assert.equal(ran.exit, line?.['result'] === 'ok' ? 0 : 3);
  return line;
}

async function cause(path: string, words = ''): Promise<unknown> {
  const { result, cause } = (await verified(path, words)) ?? {};
  return result === 'failed' ? cause : result;
}

test('digests are right, wrong, missing, or not what counts', async () => {
  const right = file('right');
  labelFile(right);
  const wrong = file('wrong');
  labelFile(wrong);
  writeFileSync(wrong, 'changed');
  assert.equal(await cause(right), 'ok');
  assert.equal(await cause(right, '--signed'), 'IMA-signature-required');
  assert.equal(await cause(wrong), 'invalid-hash');
  const line = await verified(wrong);
  assert.match(String(line?.['digest']), /^sha256:[\da-f]{64}$/);
  assert.equal(line?.['wanted'], `sha256:${labelOf(wrong)?.slice(4)}`);
  const missing = file('missing');
  assert.equal(await cause(missing), 'missing-hash');
  assert.equal(await cause(missing, '--signed'), 'IMA-signature-required');
  setLabel(missing, '0704');
  assert.equal(await cause(missing), 'unknown-ima-data');
});

test('an algorithm that nobody here has is said to be so, also of an old label', async () => {
  const path = file('whirlpool');
  setLabel(path, `040d${'00'.repeat(64)}`);
  const { message } = (await verified(path)) ?? {};
  assert.match(String(message), /'wp512' is not available/);
});

test('of signatures it says by which key they are, or what is wrong', async () => {
  const ours = `--keys ${keys}`;
  const path = file('signed');
  for (const words of ['--key rsa', '--key ec', '--key ec --v3', '--key rsa --veritysig']) {
    await transcript(`label sign ${words.replace('--key ', `--key ${work}/`)} ${path}`);
    const line = await verified(path, `${ours} --signed`);
    assert.equal(line?.['result'], 'ok', words);
    assert.equal(line['keyid'], labelOf(path)?.slice(6, 14));
    assert.match(String(line['key']), /^imafs: tests: [\da-f]{40}$/);
  }
  assert.equal(await cause(path), 'invalid-verity-signature');
  await transcript(`label sign --key ${at('rsa')} ${path}`);
  assert.match(String((await verified(path))?.['message']), /none is trusted without --keys DIR/);
  writeFileSync(path, 'changed');
  assert.match(
    String((await verified(path, ours))?.['message']),
    /^invalid-signature: not what key/,
  );
  await transcript(`label sign --key ${at('stranger')} ${path}`);
  const strange = await verified(path, ours);
  assert.equal(strange?.['cause'], 'invalid-signature');
  assert.match(String(strange['message']), /no key [\da-f]{8} among the trusted ones/);
  setLabel(path, '0304');
  assert.equal(await cause(path, ours), 'invalid-signature-version');
});

test('what DIR has on its blacklist is no good where a signature is wanted', async () => {
  const path = file('revoked');
  await transcript(`label sign --key ${at('rsa')} ${path}`);
  assert.equal(await cause(path, `--keys ${keys} --signed`), 'ok');
  const list = join(keys, 'blacklist');
  writeFileSync(list, `bin:${createHash('sha256').update('revoked').digest('hex')}\n`);
  try {
    assert.equal(await cause(path, `--keys ${keys} --signed`), 'blacklisted-hash');
    assert.equal(await cause(path, `--keys ${keys}`), 'ok', 'as where a digest would do');
  } finally {
    rmSync(list);
  }
});

test('it agrees with evmctl about its labels and signatures', {
  skip: skipUnless('evmctl', 'nothing to compare with'),
}, async () => {
  const path = file('evmctl');
  for (const words of [
    ['ima_hash', '-a', 'sha512'],
    ['ima_sign', '-a', 'sha384', '-k', 'rsa'],
    ['ima_sign', '-a', 'sha256', '-k', 'ec'],
  ]) {
    execFileSync('evmctl', [...words, path], { cwd: work, stdio: 'ignore' });
    assert.equal(await cause(path, `--keys ${keys}`), 'ok', words.join(' '));
  }
});

test('a tree is told of in the order of the walk: what fails on stdout, and how many', async () => {
  const tree = at('tree');
  mkdirSync(tree);
  for (const name of ['a', 'b']) labelFile(file(`tree/${name}`));
  writeFileSync(`${tree}/b`, 'changed');
  for (const name of ['c', 'd']) writeFileSync(`${tree}/${name}`, '');
  const { exit, stdout, stderr } = await transcript(`verify -r ${tree} ${tree}/none`);
  assert.equal(exit, 3);
  const [b, ...others] = stdout.split('\n');
  assert.match(b ?? '', /tree\/b: invalid-hash: it is sha256:.*, labelled sha256:/);
  const missing = ['c', 'd'].map((name) => `${tree}/${name}: missing-hash`);
  assert.deepEqual(others, [...missing, `${tree}/none: ENOENT`, '1 ok, 4 failed', '']);
  const hinted = [...stderr.matchAll(/^  hint: .*: imafs label hash (.*)$/gm)];
  const mended = hinted.map(([, path]) => path);
  assert.deepEqual(mended, [`${tree}/b`, `${tree}/c`], 'one for each cause');
  const lines = jsonLines(await transcript(`verify --json -r ${tree}`));
  const hints = lines.map(({ hint }) => /label hash (.*)/.exec(String(hint))?.[1]);
  assert.deepEqual(hints, [
    undefined,
    ...['b', 'c', 'd'].map((name) => `${tree}/${name}`),
    undefined,
  ]);
});

test('keys that cannot be read have exit code 8', async () => {
  const { exit, stderr } = await transcript(`verify --keys ${work}/none ${file('any')}`);
  assert.equal(exit, 8);
  assert.match(stderr, /none cannot be read: ENOENT/);
});
