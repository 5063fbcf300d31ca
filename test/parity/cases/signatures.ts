/** Signatures in security.ima: by keys of the keyring and others, over this content and others, whole and broken. */
import type { Case, Scene } from '../case.js';
import { byteHex, good, TEXT } from '../content.js';
import { signatureBy } from '../signatures.js';
import { signedFiles } from './signed-files.js';

const READ = 'open! r f , read';
const KEYS = ['rsa2048', 'rsa4096', 'p256', 'p384'];

const RULES: readonly (readonly [string, string])[] = [
  ['any label', 'appraise fowner=$O'],
  ['imasig', 'appraise appraise_type=imasig fowner=$O'],
  ['sigv3', 'appraise appraise_type=sigv3 fowner=$O'],
];

const by = signatureBy;
const v2 = by('rsa2048');
const v3 = by('rsa2048', { version: 3 });

/** Header: type, version, algorithm, key id (4), size (2); then the signature. */
const withBytes = (hex: string, at: number, bytes: string): string =>
  hex.slice(0, 2 * at) + bytes + hex.slice(2 * at + bytes.length);

const flipped = (hex: string, at: number): string =>
  withBytes(hex, at, byteHex(Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16) ^ 1));

const FORMS: readonly (readonly [string, string | undefined])[] = [
  ['no label', undefined],
  ['the right hash', good()],
  ['a wrong hash', good('other')],
  ...KEYS.flatMap((key) =>
    ['sha1', 'sha256', 'sha384', 'sha512'].map((algorithm): [string, string] => [
      `${key} over ${algorithm}`,
      by(key, { algorithm }),
    ]),
  ),
  ...KEYS.map((key): [string, string] => [`${key} of version 3`, by(key, { version: 3 })]),
  ['rsa2048 of version 3 over sha512', by('rsa2048', { version: 3, algorithm: 'sha512' })],
  ['a stranger', by('stranger')],
  ['a stranger of version 3', by('stranger', { version: 3 })],
  ['rsa2048 over another content', by('rsa2048', { content: 'new' })],
  ['rsa2048 of version 3 over another content', by('rsa2048', { content: 'new', version: 3 })],
  ['p256 over another content', by('p256', { content: 'new' })],
  ['rsa2048 with its first byte changed', flipped(v2, 9)],
  ['rsa2048 with its last byte changed', flipped(v2, v2.length / 2 - 1)],
  ['p256 with a byte changed', flipped(by('p256'), 20)],
  ['rsa2048 with another key id', withBytes(v2, 3, '00112233')],
  ['rsa2048 with the key id of p256', withBytes(v2, 3, by('p256').slice(6, 14))],
  ['p256 with the key id of rsa2048', withBytes(by('p256'), 3, v2.slice(6, 14))],
  ['rsa2048 with a size one more', withBytes(v2, 7, '0101')],
  ['rsa2048 with a size one less', withBytes(v2, 7, '00ff')],
  ['rsa2048 with a size of 0', withBytes(v2, 7, '0000')],
  ['rsa2048 with a size of ffff', withBytes(v2, 7, 'ffff')],
  ['rsa2048 and a byte more', `${v2}00`],
  ['rsa2048 less a byte', v2.slice(0, -2)],
  ['p256 and a byte more', `${by('p256')}00`],
  ['p256 less a byte', by('p256').slice(0, -2)],
  ['the header alone', v2.slice(0, 18)],
  ['the header less a byte', v2.slice(0, 16)],
  ['three bytes of the header', v2.slice(0, 6)],
  ['two bytes of the header', v2.slice(0, 4)],
  ['the header and a byte', v2.slice(0, 20)],
  ['rsa2048 that says version 1', withBytes(v2, 1, '01')],
  ['rsa2048 that says version 0', withBytes(v2, 1, '00')],
  ['rsa2048 that says version 3', withBytes(v2, 1, '03')],
  ['rsa2048 of version 3 that says 2', withBytes(v3, 1, '02')],
  ['rsa2048 that says version 4', withBytes(v2, 1, '04')],
  ['rsa2048 over sha256 that says sha512', withBytes(v2, 2, '06')],
  [
    'rsa2048 over sha512 that says sha256',
    withBytes(by('rsa2048', { algorithm: 'sha512' }), 2, '04'),
  ],
  ['rsa2048 over sha1 that says sha256', withBytes(by('rsa2048', { algorithm: 'sha1' }), 2, '04')],
  ['rsa2048 of no algorithm', withBytes(v2, 2, 'ff')],
  ['rsa2048 of type 05', withBytes(v2, 0, '05')],
  ['rsa2048 of type 06', withBytes(v2, 0, '06')],
  ['rsa2048 of version 3 and type 06', withBytes(v3, 0, '06')],
  ['rsa2048 of version 3 and type 05', withBytes(v3, 0, '05')],
];

const forms = (prefix: string): Case[] =>
  FORMS.flatMap(([form, label]) =>
    RULES.map(
      ([what, rule]): Case => ({
        name: `${prefix}${what} wanted, ${form}`,
        rules: [rule],
        files: { f: { content: TEXT, ...(label === undefined ? {} : { label }) } },
        steps: [READ],
      }),
    ),
  );

export const signatures: readonly Scene[] = [
  { name: 'signatures', kernel: '7.3', hasKeys: true, cases: [...forms(''), ...signedFiles('')] },
  {
    name: 'signatures-log',
    kernel: '7.3',
    hasKeys: true,
    mode: 'log',
    cases: [...forms('log: '), ...signedFiles('log, ')],
  },
  {
    name: 'signatures-fix',
    kernel: '7.3',
    hasKeys: true,
    mode: 'fix',
    cases: [...forms('fix: '), ...signedFiles('fix, ')],
  },
];
