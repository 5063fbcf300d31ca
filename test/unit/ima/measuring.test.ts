import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FileMoved } from '../../../src/base/file-moved.js';
import { changeIma } from '../../../src/ima/ima.js';
import { MAY_READ, MAY_WRITE } from '../../../src/ima/ports.js';
import { type Access, processMeasurement } from '../../../src/ima/process-measurement.js';
import { templateByName } from '../../../src/ima/template/template.js';
import type { FakeIma } from '../../helpers/fake-list.js';
import { accessTo, FakeAudit, FakeFile, imaOf, user } from './fakes.js';

const ZEROS = '0'.repeat(64);

/** What the list shows behind its first two columns. */
const shown = ({ list }: FakeIma): string[] =>
  list.lines().map((line) => line.split(' ').slice(2).join(' '));

const access = (
  ima: FakeIma,
  file: FakeFile,
  facts: Partial<Access> = {},
  audit = new FakeAudit(),
) => processMeasurement(ima, audit, accessTo(file, facts));

test('what a measure rule matches is listed once, with the digest its label is of', async () => {
  const ima = imaOf('enforce', 'measure func=FILE_CHECK mask=MAY_READ fowner=1000');
  const file = new FakeFile('content', '0402{sha1}');
  assert.equal((await access(ima, file)).allowed, true);
  await access(ima, file);
  await access(ima, file, { hook: 'MMAP_CHECK' });
  await access(ima, file, { mask: MAY_WRITE, writable: true });
  assert.deepEqual(shown(ima), [`ima-ng sha1:${file.hex('sha1')} /mnt/f`]);
  assert.equal(file.hashings, 1, 'a file that is measured is not read again');
});

test('a change is measured, another name of the same content under its own name', async () => {
  const ima = imaOf('enforce', 'measure');
  const file = new FakeFile('one');
  await access(ima, file);
  const one = file.hex('sha256');
  file.write('two');
  await access(ima, file);
  file.write('one');
  await access(ima, file);
  file.write('one');
  await access(ima, file, { name: () => Promise.resolve(Buffer.from('/mnt/a b')) });
  assert.deepEqual(shown(ima), [
    `ima-ng sha256:${one} /mnt/f`,
    `ima-ng sha256:${new FakeFile('two').hex('sha256')} /mnt/f`,
    `ima-ng sha256:${one} /mnt/a_b`,
  ]);
});

test('a refused file has been measured', async () => {
  const ima = imaOf('enforce', 'measure', 'appraise');
  const file = new FakeFile('content');
  const verdict = await access(ima, file);
  assert.equal(verdict.allowed, false);
  assert.equal(ima.list.entries.length, 1);
});

test('dont_measure before it, uid and mask are conditions like others', async () => {
  const ima = imaOf('log', 'dont_measure uid=5', 'measure mask=MAY_READ uid<10');
  const file = new FakeFile('content');
  await access(ima, file, { subject: user(5) });
  await access(ima, file, { subject: user(10) });
  await access(ima, file, { mask: MAY_READ | MAY_WRITE, writable: true });
  assert.equal(ima.list.entries.length, 0);
  await access(ima, file, { subject: user(9) });
  assert.equal(ima.list.entries.length, 1);
});

test('pcr= and template= are those of the rule; each PCR gets its own entry', async () => {
  const ima = imaOf(
    'log',
    'measure uid=1 pcr=11 template=ima-sig',
    'measure uid=2 pcr=63',
    'measure',
  );
  const file = new FakeFile('content', '0302');
  for (const uid of [0, 1, 2, 0, 1, 2]) await access(ima, file, { subject: user(uid) });
  const head = ima.list.entries.map(({ pcr, templateName }) => [pcr, templateName]);
  assert.deepEqual(head, [
    [10, 'ima-ng'],
    [11, 'ima-sig'],
    [63, 'ima-ng'],
  ]);
  assert.ok(ima.list.lines()[1]?.endsWith(' /mnt/f 0302'));
});

test('ima-sig without a signature keeps its place; a portable one of EVM stands in for it', async () => {
  const ima = imaOf('log', 'measure template=ima-sig');
  const file = new FakeFile('content', '0404{sha256}');
  await access(ima, file);
  assert.ok(ima.list.lines()[0]?.endsWith(' /mnt/f '));
  file.write('more');
  file.xattrs.set('security.evm', Buffer.from('0502aa', 'hex'));
  await access(ima, file);
  assert.ok(ima.list.lines()[1]?.endsWith(' /mnt/f 0502aa'));
});

test('the template of old has a SHA-1 digest whatever the label is of', async () => {
  const ima = imaOf('log', 'measure template=ima');
  const file = new FakeFile('content', '0404{sha256}');
  await access(ima, file);
  assert.deepEqual(shown(ima), [`ima ${file.hex('sha1')} /mnt/f`]);
});

test('evm-sig shows owner, mode and the attributes that EVM protects', async () => {
  const ima = imaOf('log', 'measure template=evm-sig');
  const file = new FakeFile('content', '0404');
  file.xattrs.set('security.selinux', Buffer.from('ab'));
  file.xattrs.set('user.x', Buffer.from('no'));
  await access(ima, file);
  const fields = shown(ima)[0]?.split(' ').slice(3);
  assert.deepEqual(fields, [
    '',
    'security.selinux|security.ima',
    '0200000002000000',
    '61620404',
    '1000',
    '1000',
    '33188',
  ]);
});

test('a new generation measures again, and the list filters what it has', async () => {
  const ima = imaOf('log', 'measure');
  const file = new FakeFile('content');
  await access(ima, file);
  const sig = templateByName('ima-sig');
  assert.ok(sig);
  changeIma(ima, { template: sig });
  await access(ima, file);
  changeIma(ima, {});
  await access(ima, file);
  assert.deepEqual(
    ima.list.entries.map(({ templateName }) => templateName),
    ['ima-ng', 'ima-sig'],
  );
});

test('O_DIRECT: zeros are measured, each time anew', async () => {
  const ima = imaOf('log', 'measure');
  const file = new FakeFile('content');
  const audit = new FakeAudit();
  const verdict = await access(ima, file, { directIo: true }, audit);
  assert.equal(verdict.allowed && verdict.cacheable, false);
  assert.deepEqual(shown(ima), [`ima-ng sha256:${ZEROS} /mnt/f`]);
  assert.deepEqual(audit.records, ['1800 collect_data failed(directio) res=0']);
  await access(ima, file);
  assert.equal(ima.list.entries.length, 2);
});

test('what cannot be read, or listed, is refused in every mode', async () => {
  for (const mode of ['off', 'log', 'fix', 'enforce'] as const) {
    const ima = imaOf(mode, 'measure');
    const file = new FakeFile('content');
    file.failing = true;
    const unread = await access(ima, file);
    assert.deepEqual([unread.allowed, !unread.allowed && unread.errno], [false, 'EIO']);
    file.failing = false;
    ima.list.failing = 'ENOSPC';
    const audit = new FakeAudit();
    const unlisted = await access(ima, file, {}, audit);
    assert.equal(!unlisted.allowed && unlisted.cause, 'ENOSPC');
    assert.deepEqual(audit.records, ['1804 add_template_measure ENOSPC res=0']);
    ima.list.failing = undefined;
    assert.equal((await access(ima, file)).allowed, true);
    assert.equal(ima.list.entries.length, 1);
  }
});

test('a TPM that fails is recorded, and the open allowed, as by the kernel', async () => {
  const ima = imaOf('enforce', 'measure');
  ima.list.tpmError = 256;
  const audit = new FakeAudit();
  assert.equal((await access(ima, new FakeFile('content'), {}, audit)).allowed, true);
  assert.deepEqual(audit.records, ['1804 add_template_measure TPM_error(256) res=1']);
});

test('a file that changes while it is read is to be asked about anew, and nothing is listed', async () => {
  const ima = imaOf('log', 'measure');
  const file = new FakeFile('content');
  file.digest = () => Promise.reject(new FileMoved());
  await assert.rejects(access(ima, file), FileMoved);
  assert.equal(ima.list.entries.length, 0);
});

test('while its own writer is there a file is measured once (the kernel waits for the last close)', async () => {
  const ima = imaOf('log', 'measure mask=MAY_READ');
  const file = new FakeFile('content');
  await access(ima, file);
  file.write('two');
  const beside = { writersOwn: true, hasWriters: () => Promise.resolve(true) };
  await access(ima, file, beside);
  assert.deepEqual(shown(ima).slice(1), [`ima-ng sha256:${ZEROS} /mnt/f`], 'open_writers alone');
  ima.iints.forget([file.node]);
  await access(ima, file);
  assert.equal(ima.list.entries.length, 3);
});
