/**
 * Every form of security.ima, against a table that real kernels answered (6.1, 6.12 and 7.3 agree). The
 * one difference is ours: an algorithm byte that no kernel knows is an invalid hash, not a fallback.
 */
import assert from 'node:assert/strict';

import { causesOf } from '../helpers/audit-lines.js';
import { PROTECTED, useImafs } from '../helpers/imafs.js';
import { digestOf, labelFor } from '../helpers/label.js';

const imafs = useImafs({ policy: [`appraise fowner=${PROTECTED}`] });

const ALLOWED = undefined;
const sha1 = (text: string): string => digestOf(text, 'sha1');
const sha256 = (text: string): string => digestOf(text);

/** What security.ima is, its bytes for a content, and the cause of the refusal. */
const TABLE: readonly [string, (text: string) => string, string | undefined][] = [
  ['0404 and the right SHA-256', (text) => labelFor(text), ALLOWED],
  ['01 and the right SHA-1', (text) => `01${sha1(text)}`, ALLOWED],
  ['01 and the right MD5', (text) => `01${digestOf(text, 'md5')}`, ALLOWED],
  ['0402 and the right SHA-1', (text) => labelFor(text, 'sha1'), ALLOWED],
  ['0405 and the right SHA-384', (text) => labelFor(text, 'sha384'), ALLOWED],
  ['0406 and the right SHA-512', (text) => labelFor(text, 'sha512'), ALLOWED],
  ['0404, the right SHA-256 and two bytes more', (text) => `${labelFor(text)}aabb`, ALLOWED],
  ['an algorithm byte ff that is none', (text) => `04ff${sha256(text)}`, 'invalid-hash'],
  ['an algorithm byte 30 that is none', (text) => `0430${sha256(text)}`, 'invalid-hash'],
  ['0404 and another SHA-256', () => labelFor('other'), 'invalid-hash'],
  ['01 and another SHA-1', () => `01${sha1('other')}`, 'invalid-hash'],
  ['0404 and only 20 bytes', (text) => `0404${sha256(text).slice(0, 40)}`, 'invalid-hash'],
  ['0404 and 31 bytes', (text) => labelFor(text).slice(0, -2), 'invalid-hash'],
  ['0404 alone', () => '0404', 'invalid-hash'],
  ['04 alone', () => '04', 'invalid-hash'],
  ['0402 and a SHA-256', (text) => `0402${sha256(text)}`, 'invalid-hash'],
  ['type 00', (text) => `0004${sha256(text)}`, 'unknown-ima-data'],
  ['type 02, an EVM HMAC', (text) => `02${sha1(text)}`, 'unknown-ima-data'],
  ['type 05', (text) => `0504${sha256(text)}`, 'unknown-ima-data'],
  [
    'type 03, a signature, over a digest',
    (text) => `0304${sha256(text)}`,
    'invalid-signature-version',
  ],
  [
    'type 06, a verity signature, over a digest',
    (text) => `0604${sha256(text)}`,
    'invalid-signature-version',
  ],
];

for (const [index, [what, label, cause]] of TABLE.entries()) {
  imafs.test(`${what}: ${cause ?? 'allowed'}`, async () => {
    const name = `variant-${index}`;
    const content = `content of ${name}\n`;
    const file = imafs.put(name, content, { label: label(content) });
    const opened = cause === ALLOWED ? 'open=ok' : 'open=EACCES';
    assert.deepEqual(await imafs.system.xt(`open r ${file}`), [opened]);
    assert.deepEqual(await imafs.system.xt(`open r ${file}`, { uid: PROTECTED }), [opened]);
    const causes = new Set(causesOf(imafs.auditLines(), name));
    assert.deepEqual([...causes], cause === ALLOWED ? [] : [cause]);
  });
}

imafs.test('the digest of an empty file is a digest like any other', async () => {
  const file = imafs.put('empty', '');
  assert.deepEqual(await imafs.system.xt(`open r ${file} , read`), ['open=ok', 'read=ok 0']);
});

imafs.test('setxattr takes types 00 to 06 and refuses 07 to 09 and an empty value', async () => {
  const file = imafs.put('set', 'text\n', { label: 'none' });
  for (const type of ['00', '01', '02', '03', '04', '05', '06']) {
    const [result] = await imafs.system.xt(
      `setx ${file} security.ima ${type}04${sha256('text\n')}`,
    );
    assert.equal(result, 'setx=ok', type);
  }
  for (const value of [`0704${sha256('')}`, `0804${sha256('')}`, `0904${sha256('')}`, '']) {
    assert.deepEqual(
      await imafs.system.xt(`setx ${file} security.ima ${value}`),
      ['setx=EINVAL'],
      value,
    );
  }
});

imafs.test('setting security.ima is for root of the initial user namespace only', async () => {
  const file = imafs.put('others', 'text\n');
  const set = `setx ${file} security.ima ${labelFor('text\n')} , rmx ${file} security.ima`;
  assert.deepEqual(await imafs.system.xt(set, { uid: PROTECTED }), ['setx=EPERM', 'rmx=EPERM']);
  const inUserNamespace = await imafs.container({ userRoot: PROTECTED });
  assert.deepEqual(await inUserNamespace.xt(set), ['setx=EPERM', 'rmx=EPERM']);
});
