import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { extendDigest, type ListEntry } from '../../../src/ima/list/entry.js';
import {
  asciiList,
  binaryList,
  evm,
  inPcr,
  legacy,
  MIXED,
  ng,
  sig,
  violation,
} from '../ima/list/lists.js';
import { jsonLines, transcript } from './transcript.js';

const work = mkdtempSync(join(tmpdir(), 'imafs-log-'));
after(() => {
  rmSync(work, { recursive: true });
});

let files = 0;

function put(content: string | Uint8Array): string {
  const path = join(work, `file${files++}`);
  writeFileSync(path, content, 'latin1');
  return path;
}

const LIST = [ng('boot_aggregate'), ng('/a'), violation('/b'), legacy('/c'), sig('/d', '0302')];

/** As a TPM has it. */
function pcr(bank: string, entries: readonly ListEntry[]): string {
  const zeros = Buffer.alloc(createHash(bank).digest().length);
  return entries
    .reduce<Buffer>(
      (value, entry) => createHash(bank).update(value).update(extendDigest(bank, entry)).digest(),
      zeros,
    )
    .toString('hex');
}

test('log show prints a binary list as the ascii list of its bank, or of another', async () => {
  for (const bank of ['sha1', 'sha512']) {
    const path = put(binaryList(bank, LIST));
    const shown = await transcript(`log show ${path}`);
    assert.deepEqual([shown.exit, shown.stdout], [0, asciiList(bank, LIST)]);
    const other = await transcript(`log show --bank sha256 ${path}`);
    assert.equal(other.stdout, asciiList('sha256', LIST));
  }
});

test('log show prints an ascii list as it is', async () => {
  const text = asciiList('sha256', LIST);
  assert.equal((await transcript(`log show ${put(text)}`)).stdout, text);
});

test('log show --json gives each entry with its fields', async () => {
  const entries = jsonLines(await transcript(`log show --json ${put(binaryList('sha1', MIXED))}`));
  assert.equal(entries.length, MIXED.length);
  const [boot, old, signed, , log, own] = entries;
  assert.equal(boot?.['type'], 'entry');
  assert.deepEqual(
    [signed?.['pcr'], signed?.['template'], signed?.['name'], signed?.['violation']],
    [10, 'ima-sig', '/bin/signed', false],
  );
  assert.equal((signed?.['fields'] as { sig: string }).sig, '030204aabb');
  assert.match(String(signed?.['digest']), /^sha256:[0-9a-f]{64}$/);
  assert.match(String(old?.['digest']), /^sha1:[0-9a-f]{40}$/);
  assert.deepEqual([log?.['violation'], log?.['hash']], [true, '0'.repeat(40)]);
  assert.equal((own?.['fields'] as { iuid: string }).iuid, '1000');
});

test('log show shows what can be decoded of a broken list, and where it breaks', async () => {
  const bytes = binaryList('sha1', [ng('/a'), ng('/b'), evm]);
  const { exit, stdout, stderr } = await transcript(`log show ${put(bytes.subarray(0, -3))}`);
  assert.deepEqual([exit, stdout], [3, asciiList('sha1', [ng('/a'), ng('/b')])]);
  const offset = binaryList('sha1', [ng('/a'), ng('/b')]).length;
  assert.ok(stderr.includes(`entry 3 (at byte ${offset}): evm-sig: the data has`), stderr);
});

test('log show refuses to follow a file, and a bank that there is not', async () => {
  const path = put(asciiList('sha1', LIST));
  assert.equal((await transcript(`log show -f ${path}`)).exit, 1);
  assert.equal((await transcript(`log show --ns 4026531841 ${path}`)).exit, 1);
  assert.equal((await transcript(`log show --bank md5 ${path}`)).exit, 1);
});

test('log verify of a file alone checks each hash and gives the values of PCRs', async () => {
  for (const content of [binaryList('sha384', LIST), asciiList('sha384', LIST)]) {
    const ran = await transcript(`log verify --json ${put(content)}`);
    assert.equal(ran.exit, 0);
    const lines = jsonLines(ran);
    assert.deepEqual(
      lines.map(({ bank, replayed, match }) => [bank, replayed, match]),
      [
        ['sha384', pcr('sha384', LIST), null],
        ['sha1', pcr('sha1', LIST), null],
        ['sha256', pcr('sha256', LIST), null],
        [undefined, undefined, undefined],
      ],
    );
    const { type, entries, violations, verified } = lines.at(-1) ?? {};
    assert.deepEqual([type, entries, violations, verified], ['list', 5, 1, true]);
  }
});

test('log verify compares with PCRs as evmctl, sysfs and tpm2_pcrread write them', async () => {
  const path = put(binaryList('sha1', LIST));
  const [sha1, sha256] = [pcr('sha1', LIST), pcr('sha256', LIST)];
  const spaced = (sha1.toUpperCase().match(/../g) ?? []).join(' ');
  for (const pcrs of [
    [put(`PCR-00: ${'0'.repeat(40)}\nPCR-10: ${sha1}\n`), put(`PCR-10: ${sha256}\n`)],
    [put(` PCR 10: ${spaced} \n`), put(`PCR-10:${sha256}\n`)],
    Array<string>(2).fill(put(`  sha1:\n    10: 0x${sha1}\n  sha256:\n    10: 0x${sha256}\n`)),
  ]) {
    const line = `log verify --json ${path} --pcrs sha1,${pcrs[0]} --pcrs sha256,${pcrs[1]}`;
    const ran = await transcript(line);
    assert.equal(ran.exit, 0, ran.stdout);
    assert.deepEqual(
      jsonLines(ran).map(({ bank, pcr: number, match }) => [bank, number, match]),
      [
        ['sha1', 10, true],
        ['sha256', 10, true],
        [undefined, undefined, undefined],
      ],
    );
  }
});

/** What `log verify` says of a list whose PCR should be that of LIST. */
async function problem(list: Uint8Array, value = pcr('sha256', LIST)) {
  const pcrs = put(`PCR-10: ${value}\n`);
  const ran = await transcript(`log verify --json ${put(list)} --pcrs sha256,${pcrs}`);
  const lines = jsonLines(ran);
  assert.deepEqual([ran.exit, lines.at(-1)?.['code']], [3, 'list-differs']);
  assert.equal(lines.at(-2)?.['verified'], false);
  return lines.at(-2)?.['problem'] as { kind: string; message: string; entry?: number };
}

test('log verify names the entry that was changed', async () => {
  const bytes = binaryList('sha256', LIST);
  bytes[bytes.indexOf('/c')] = 0x5c;
  const { kind, entry, message } = await problem(bytes);
  assert.deepEqual([kind, entry], ['changed', 4]);
  assert.match(message, /entry 4 \(\\c\) was changed/);
});

test('log verify says how many entries a PCR has that is behind', async () => {
  const found = await problem(binaryList('sha256', LIST), pcr('sha256', LIST.slice(0, 3)));
  assert.deepEqual([found.kind, found.entry], ['behind', 4]);
  assert.match(found.message, /only the first 3 entries of the list: entry 4 \(\/c\)/);
});

test('log verify says that nothing fits, where entries are missing or were put in', async () => {
  const missing = await problem(binaryList('sha256', LIST.slice(0, 4)));
  assert.deepEqual([missing.kind, missing.entry], ['unrelated', undefined]);
  const added = await problem(binaryList('sha256', [...LIST.slice(0, 2), ng('/x'), ...LIST]));
  assert.equal(added.kind, 'unrelated');
});

test('log verify wants the value of every PCR that the list uses', async () => {
  const list = [...LIST, inPcr(11, ng('/e'))];
  const { kind, message } = await problem(binaryList('sha256', list));
  assert.deepEqual([kind, message], ['no-value', 'there is no value of PCR 11 of sha256']);
});

test('log verify finds a changed hash and an unknown template without PCRs', async () => {
  const bytes = binaryList('sha1', LIST);
  bytes.fill(0x11, 4, 24);
  assert.match((await transcript(`log verify ${put(bytes)}`)).stderr, /entry 1 \(boot_aggregate\)/);
  const strange = binaryList('sha1', [{ ...ng('/a'), templateName: 'unheard-of' }]);
  const { exit, stderr } = await transcript(`log verify ${put(strange)}`);
  assert.equal(exit, 3);
  assert.match(stderr, /entry 1 is of template 'unheard-of', which IMA does not have/);
});

test('a name with control characters does not reach the terminal', async () => {
  const bytes = binaryList('sha1', [ng('/\x1b[2Jx')]);
  bytes.fill(0x11, 4, 24);
  assert.match((await transcript(`log verify ${put(bytes)}`)).stderr, /entry 1 \(\/\\u001b\[2Jx\)/);
});

test('log verify refuses a broken list with its place, and PCR files that are none', async () => {
  const cut = put(binaryList('sha1', LIST).subarray(0, -1));
  assert.equal((await transcript(`log verify ${cut}`)).exit, 3);
  const ascii = await transcript(`log verify ${put(`${asciiList('sha1', LIST)}x\n`)}`);
  assert.match(ascii.stderr, /line 6: this is no line of a measurement list/);
  const list = put(asciiList('sha1', LIST));
  for (const [pcrs, message] of [
    [`sha256,${put('nonsense')}`, /line 1 is no value of a PCR/],
    [`sha256,${put('PCR-10: 00')}`, /a PCR of sha256 has 64 digits, not 2/],
    [put(''), /is not BANK,FILE/],
    ['sha999,x', /is not BANK,FILE/],
  ] as const) {
    const { exit, stderr } = await transcript(`log verify ${list} --pcrs ${pcrs}`);
    assert.equal(exit, 1);
    assert.match(stderr, message);
  }
  assert.equal((await transcript(`log verify ${list} --pcrs sha1,${work}/none`)).exit, 6);
  assert.equal((await transcript(`log verify --ns 1 ${list}`)).exit, 1);
  assert.equal((await transcript(`log verify --pcrs sha1,x ${work}`)).exit, 1);
  assert.equal((await transcript(`log verify ${work}`)).exit, 5);
  assert.equal((await transcript(`log show ${work}/none`)).exit, 6);
});

test('an empty list is one', async () => {
  const { exit, stdout } = await transcript(`log verify ${put('')}`);
  assert.deepEqual([exit, stdout], [0, '0 entries, 0 violations: each fits its hash\n']);
});
