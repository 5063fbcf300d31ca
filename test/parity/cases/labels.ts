/**
 * security.ima in every form, under the rule `appraise` without a func, against every access. What
 * decides is the form, the access and the mode; who asks decides nothing, which a part of them shows.
 */
import { digestOf, labelFor } from '../../helpers/label.js';
import { asUser, type Case, type Scene } from '../case.js';
import { ALGORITHM_IDS, byteHex, labelBy, PROGRAM, TEXT, wrong } from '../content.js';

type Content = string | Uint8Array;

/** What security.ima is, and its bytes for a content. */
type Form = readonly [string, (content: Content) => string | undefined];

const sha256 = (content: Content): string => digestOf(content);
const sha1 = (content: Content): string => digestOf(content, 'sha1');
const md5 = (content: Content): string => digestOf(content, 'md5');

/** The forms that take different ways through ima_appraise_measurement. */
const MAIN_FORMS: readonly Form[] = [
  ['no label', () => undefined],
  ['the right SHA-256', (content) => labelFor(content)],
  ['another SHA-256', () => wrong],
  ['the right SHA-1 of type 01', (content) => `01${sha1(content)}`],
  ['a signature nobody knows', () => '0302040011223300020102'],
  ['a label of EVM', (content) => `02${sha1(content)}`],
];

const RIGHT_FORMS: readonly Form[] = Object.keys(ALGORITHM_IDS).map((algorithm) => [
  `the right ${algorithm}`,
  (content) => labelBy(algorithm as keyof typeof ALGORITHM_IDS, content),
]);

const ODD_FORMS: readonly Form[] = [
  ['the right MD5 of type 01', (content) => `01${md5(content)}`],
  ['the right MD5 of type 01 padded to 20', (content) => `01${md5(content)}00000000`],
  ['the right MD5 of type 01 padded wrongly', (content) => `01${md5(content)}00000001`],
  ['the right MD5 of type 01 padded to 24', (content) => `01${md5(content)}0000000000000000`],
  ['another SHA-1 of type 01', () => `01${sha1('another')}`],
  ['another MD5 of type 01', () => `01${md5('another')}`],
  ['a SHA-1 of type 01 less a byte', (content) => `01${sha1(content).slice(2)}`],
  ['a SHA-1 of type 01 cut to 19', (content) => `01${sha1(content).slice(0, 38)}`],
  ['a SHA-1 of type 01 and a byte', (content) => `01${sha1(content)}00`],
  ['a SHA-256 of type 01', (content) => `01${sha256(content)}`],
  ['01 alone', () => '01'],
  ['01 and a byte', () => '0104'],
  ['04 alone', () => '04'],
  ['0404 alone', () => '0404'],
  ['0404 and a byte', (content) => labelFor(content).slice(0, 6)],
  ['a SHA-256 cut to 20', (content) => labelFor(content).slice(0, 44)],
  ['a SHA-256 cut to 31', (content) => labelFor(content).slice(0, -2)],
  ['a SHA-256 and a byte', (content) => `${labelFor(content)}00`],
  ['a SHA-256 and 30 bytes', (content) => `${labelFor(content)}${'aa'.repeat(30)}`],
  ['a SHA-256 with its last byte changed', (content) => flipped(labelFor(content))],
  ['a SHA-256 that says SHA-1', (content) => `0402${sha256(content)}`],
  ['a SHA-1 that says SHA-256', (content) => `0404${sha1(content)}`],
  ['a SHA-384 that says SHA-512', (content) => `0406${digestOf(content, 'sha384')}`],
  ['a SHA3-256 that says SHA-256', (content) => `0404${digestOf(content, 'sha3-256')}`],
  ['zeros for a SHA-256', () => `0404${'00'.repeat(32)}`],
];

/** Types in front of what would be a digest, one byte more, or nothing. */
const TYPE_FORMS: readonly Form[] = [0, 2, 3, 5, 6].flatMap((type): Form[] => [
  [`type ${byteHex(type)} and a digest`, (content) => `${byteHex(type)}04${sha256(content)}`],
  [`type ${byteHex(type)} and a byte`, () => `${byteHex(type)}04`],
  [`type ${byteHex(type)} alone`, () => byteHex(type)],
]);

/** Signature headers: type, version, algorithm, key id, size; then garbage. */
const SIGNATURE_FORMS: readonly Form[] = ['03', '05', '06'].flatMap((type) =>
  ['00', '01', '02', '03', '04', 'ff'].map(
    (version): Form => [
      `type ${type} version ${version} and garbage`,
      () => `${type}${version}04001122330004deadbeef`,
    ],
  ),
);

const READ = 'open! r f , read';

interface Access {
  readonly name: string;
  readonly step: string;
  readonly content?: Uint8Array;
}

const ACCESSES: readonly Access[] = [
  { name: 'read', step: READ },
  { name: 'read by a user', step: asUser(READ) },
  { name: 'opened for writing', step: 'open! w f , close' },
  { name: 'written', step: 'open! w f , write changed , close' },
  { name: 'written by a user', step: asUser('open! w f , write changed , close') },
  { name: 'read and written', step: 'open! rw f , read , write changed , close' },
  { name: 'appended to', step: 'open! a f , write more , close' },
  { name: 'truncated by opening', step: 'open! wt f , close' },
  { name: 'truncated and written', step: 'open! wt f , write new , close' },
  { name: 'truncated and read', step: 'open! rwt f , write new , close' },
  { name: 'truncated by path', step: 'truncate f 4' },
  { name: 'read past the cache', step: 'open! rd f , dread' },
  { name: 'executed', step: 'run f', content: PROGRAM },
  { name: 'executed by a user', step: asUser('run f'), content: PROGRAM },
  { name: 'read twice', step: `${READ} , ${READ}` },
  { name: 'mapped to be executed', step: 'open! r f , mmap rx p 100', content: PROGRAM },
  { name: 'mapped to be read', step: 'open! r f , mmap r p 100' },
];

const byName = (...names: string[]): Access[] =>
  ACCESSES.filter(({ name }) => names.includes(name));

function across(forms: readonly Form[], accesses: readonly Access[], prefix = ''): Case[] {
  return forms.flatMap(([form, label]) =>
    accesses.map(({ name, step, content = TEXT }): Case => {
      const hex = label(content);
      const file = { content, mode: 0o777, ...(hex === undefined ? {} : { label: hex }) };
      return {
        name: `${prefix}${form}, ${name}`,
        rules: ['appraise fowner=$O'],
        files: { f: file },
        steps: [step, ...(step.includes('write') || step.includes('trunc') ? [READ] : [])],
      };
    }),
  );
}

/** Every algorithm number, known or not, by setxattr(2): what the kernel cannot hash it does not take. */
const NUMBERS: readonly Case[] = [
  ...Array.from({ length: 25 }, (_, id) => id),
  0x30,
  0x7f,
  0xff,
].map(
  (id): Case => ({
    name: `a SHA-256 labelled algorithm ${id}, set and read`,
    rules: ['appraise fowner=$O'],
    files: { f: { content: TEXT } },
    steps: [`setx f security.ima 04${byteHex(id)}${sha256(TEXT)} , ${READ}`],
  }),
);

const flipped = (hex: string): string =>
  hex.slice(0, -2) + byteHex(Number.parseInt(hex.slice(-2), 16) ^ 1);

const ALL_FORMS = [...RIGHT_FORMS, ...ODD_FORMS, ...TYPE_FORMS, ...SIGNATURE_FORMS];

export const labels: readonly Scene[] = [
  {
    name: 'labels',
    cases: [
      ...across(MAIN_FORMS, ACCESSES),
      ...across(ALL_FORMS, byName('read', 'executed', 'written')),
      ...NUMBERS,
    ],
  },
  {
    name: 'labels-log',
    mode: 'log',
    cases: [
      ...across(MAIN_FORMS, ACCESSES, 'log: '),
      ...across([...ODD_FORMS, ...TYPE_FORMS], byName('read'), 'log: '),
    ],
  },
  {
    name: 'labels-fix',
    mode: 'fix',
    cases: [
      ...across(MAIN_FORMS, ACCESSES, 'fix: '),
      ...across(ALL_FORMS, byName('read', 'written'), 'fix: '),
    ],
  },
];
