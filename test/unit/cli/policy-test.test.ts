import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { Certificates } from '../../helpers/certificates.js';
import { labelFor, setLabel } from '../../helpers/label.js';
import { asciiList, binaryList, evm, ng } from '../ima/list/lists.js';
import { jsonLines, type Transcript, transcript } from './transcript.js';

const work = mkdtempSync(join(tmpdir(), 'imafs-policy-test-'));
const certificates = new Certificates();
after(() => {
  certificates.remove();
  rmSync(work, { recursive: true, force: true });
});

const OWNER = 4711;

function file(name: string, content = 'hello', label?: string, mode = 0o644): string {
  const path = join(work, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, content);
  chownSync(path, OWNER, OWNER);
  chmodSync(path, mode);
  if (label !== undefined) setLabel(path, label);
  return path;
}

function policy(...lines: string[]): string {
  const path = join(work, 'the-policy');
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
  return path;
}

interface Told {
  readonly path: string;
  readonly verdict: string;
  readonly accesses: readonly Record<string, unknown>[];
  readonly command?: string;
}

const filesOf = (ran: Transcript): Told[] =>
  jsonLines(ran).filter(({ type }) => type === 'file') as unknown as Told[];
const summaryOf = (ran: Transcript): Record<string, unknown> | undefined =>
  jsonLines(ran).find(({ type }) => type === 'summary');
const verdicts = (told: Told | undefined): unknown[] =>
  (told?.accesses ?? []).map(({ access, verdict, cause }) =>
    [access, verdict, cause].join(' ').trim(),
  );

test('files are judged by their labels, refusals first, with the command that mends them', async () => {
  const good = file('tree/a good', 'good', labelFor('good'));
  const bad = file('tree/bad', 'new', labelFor('old'));
  const none = file("tree/no'ne");
  const rules = policy(
    '# first',
    `appraise fowner=${OWNER}`,
    'audit func=FILE_CHECK mask=MAY_READ',
  );
  const ran = await transcript(`policy test --json -r -p ${rules} ${work}/tree`);
  assert.equal(ran.exit, 4);
  const told = filesOf(ran);
  assert.deepEqual(
    told.map(({ path, verdict }) => [path, verdict]),
    [
      [bad, 'refused'],
      [none, 'refused'],
      [good, 'allowed'],
    ],
  );
  assert.deepEqual(verdicts(told[0]), ['read refused invalid-hash', 'write refused invalid-hash']);
  assert.deepEqual(verdicts(told[1])[0], 'read refused missing-hash');
  assert.equal(told[1]?.command, `imafs label hash '${work}/tree/no'\\''ne'`);
  const [read, write] = told[2]?.accesses ?? [];
  const at = `${rules}:2`;
  assert.deepEqual(read?.['appraise'], { at, text: `appraise fowner=${OWNER}` });
  assert.equal((read['audit'] as { at: string }).at, `${rules}:3`);
  assert.equal(write?.['audit'], undefined);
  assert.deepEqual(summaryOf(ran), {
    ...{ type: 'summary', schema: 'imafs.policy-test/1' },
    ...{ files: 3, refused: 2, unclear: 0, failed: 0, allowed: 1, withoutRule: 0 },
    ...{ measured: 0, appraised: 3, audited: 3, hashed: 0 },
  });
});

test('people are told each outcome once, and a hint for each cause', async () => {
  const path = file('run', 'x', undefined, 0o755);
  const { exit, stdout } = await transcript(`policy test -p ${policy('appraise')} ${path}`);
  assert.equal(exit, 4);
  assert.match(
    stdout,
    /^refused {2}\S+run\n {4}read, write, execute: refused: missing-hash by appraise \(/,
  );
  assert.match(
    stdout,
    /1 files: 1 refused.*\n.*1 appraised.*\n {2}hint: missing-hash: .*label hash/,
  );
});

test('accesses and callers are chosen', async () => {
  const path = file('mine');
  const rules = policy(
    'appraise uid=33 func=FILE_CHECK mask=MAY_WRITE',
    'measure gid>99 mask=MAY_READ',
  );
  const exitOf = async (words: string): Promise<number> =>
    (await transcript(`policy test -p ${rules} ${words} ${path}`)).exit;
  assert.equal(await exitOf('--uid 33'), 4);
  assert.equal(await exitOf('--uid 33 --access read,execute'), 0);
  assert.equal(await exitOf('--uid 34'), 0);
  const measured = async (gid: number): Promise<unknown> =>
    summaryOf(await transcript(`policy test --json -p ${rules} --gid ${gid} ${path}`))?.[
      'measured'
    ];
  assert.deepEqual([await measured(99), await measured(100)], [0, 1]);
});

test('a program is executed by all its hooks, a file without x bit is not', async () => {
  const [program, data] = [file('prog', '#!', undefined, 0o755), file('data')];
  const rules = policy('appraise func=BPRM_CHECK');
  const ran = await transcript(`policy test --json -p ${rules} ${program} ${data}`);
  assert.deepEqual(
    filesOf(ran).map((told) => verdicts(told)),
    [
      ['read allowed', 'write allowed', 'execute refused missing-hash'],
      ['read allowed', 'write allowed'],
    ],
  );
});

test('a signature is verified by --keys, unclear without, and refuses who writes', async () => {
  certificates.make('signer');
  const signed = file('signed');
  const signing = `label sign --key ${certificates.path('signer.key')} --cert ${certificates.path('signer.pem')}`;
  assert.equal((await transcript(`${signing} ${signed}`)).exit, 0);
  const rules = policy('appraise appraise_type=imasig');
  const test = (more: string): Promise<Transcript> =>
    transcript(`policy test --json -p ${rules} ${more} ${signed}`);
  const unknown = await test('');
  assert.deepEqual([unknown.exit, filesOf(unknown)[0]?.verdict], [0, 'unclear']);
  const keys = join(work, 'keys');
  mkdirSync(keys);
  const foreign = await test(`--keys ${keys}`);
  assert.deepEqual(verdicts(filesOf(foreign)[0])[0], 'read refused invalid-signature');
  writeFileSync(join(keys, 'signer.der'), certificates.read('signer.der'));
  const known = await test(`--keys ${keys}`);
  assert.deepEqual(verdicts(filesOf(known)[0]), ['read allowed', 'write refused signed-file']);
});

test('what cannot be looked at is told, and is exit code 3 if nothing is refused', async () => {
  const rules = policy('measure');
  const ran = await transcript(`policy test --json -p ${rules} ${work}/missing ${file('there')}`);
  assert.deepEqual([ran.exit, filesOf(ran)[0]?.verdict], [3, 'failed']);
  const plain = await transcript(`policy test -p ${rules} ${work}`);
  assert.match(plain.stdout, /failed .*: is a directory \(use --recursive\)/);
});

test('wrong words are usage errors', async () => {
  const path = file('usage');
  const rules = policy('audit');
  for (const [words, message] of [
    [`-p ${rules} --access reed ${path}`, /'reed' is no access\n.*did you mean read\?/],
    [`-p ${rules} --uid root ${path}`, /--uid takes a number, not 'root'/],
    [path, /no policy is in force for .*\n.*--policy FILE/],
  ] as const) {
    const { exit, stderr } = await transcript(`policy test ${words}`);
    assert.equal(exit, 1);
    assert.match(stderr, message);
  }
  assert.equal((await transcript(`policy test -p ${policy('bad')} ${path}`)).exit, 7);
});

test('of a list is told what the policy would have in it, as far as the list can tell', async () => {
  const entries = [ng('boot_aggregate'), ng('/bin/true'), evm];
  const [ascii, binary] = [join(work, 'ascii'), join(work, 'binary')];
  writeFileSync(ascii, asciiList('sha256', entries));
  writeFileSync(binary, binaryList('sha1', entries));
  const rules = policy('dont_measure fowner=1000', 'measure func=BPRM_CHECK');
  for (const list of [ascii, binary]) {
    const ran = await transcript(`policy test --json -p ${rules} ${list}`);
    assert.equal(ran.exit, 0);
    const told = jsonLines(ran)
      .filter(({ type }) => type === 'entry')
      .map(({ number, name, measured, depends }) => [number, name, measured, depends]);
    assert.deepEqual(told, [
      [3, '/x', 'no', []],
      [2, '/bin/true', 'maybe', ['fowner', 'func']],
      [1, 'boot_aggregate', 'always', []],
    ]);
    const { entries: count, unmeasured, maybe, measured, always } = summaryOf(ran) ?? {};
    assert.deepEqual([count, unmeasured, maybe, measured, always], [3, 1, 1, 0, 1]);
  }
  const all = await transcript(`policy test -q -p ${policy('measure')} ${ascii}`);
  assert.match(
    all.stdout,
    /^\S+ascii: 3 entries: 0 would not be measured, 0 may be, 2 would be, 1 /,
  );
});

test('a list that is broken says where', async () => {
  const path = join(work, 'broken');
  const list = binaryList('sha1', [ng('boot_aggregate'), ng('/a')]);
  writeFileSync(path, list.subarray(0, list.length - 3));
  const { exit, stderr } = await transcript(`policy test -p ${policy('measure')} ${path}`);
  assert.equal(exit, 3);
  assert.match(stderr, /entry 2 \(at byte \d+\)/);
});
