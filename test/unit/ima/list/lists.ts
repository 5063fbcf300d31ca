/** Entries and lists for tests, made without the code that reads them. */
import { createHash } from 'node:crypto';

import fc from 'fast-check';

import type { ListEntry } from '../../../../src/ima/list/entry.js';
import { asciiLine, binaryRecord } from '../../../../src/ima/list/show-entry.js';

const text = (value: string): Buffer => Buffer.from(value, 'latin1');

/** `sha256:` NUL digest of a file that holds `content`. */
export const digestNg = (content: string): Buffer =>
  Buffer.concat([text('sha256:\0'), createHash('sha256').update(content).digest()]);

export const ng = (name: string, content = name): ListEntry => ({
  pcr: 10,
  templateName: 'ima-ng',
  fields: [digestNg(content), text(`${name}\0`)],
  isViolation: false,
});

export const sig = (name: string, signature: string): ListEntry => ({
  pcr: 10,
  templateName: 'ima-sig',
  fields: [digestNg(name), text(`${name}\0`), Buffer.from(signature, 'hex')],
  isViolation: false,
});

export const legacy = (name: string): ListEntry => ({
  pcr: 10,
  templateName: 'ima',
  fields: [createHash('sha1').update(name).digest(), text(`${name}\0`)],
  isViolation: false,
});

export const violation = (name: string): ListEntry => ({
  pcr: 10,
  templateName: 'ima-ng',
  fields: [Buffer.concat([text('sha256:\0'), Buffer.alloc(32)]), text(`${name}\0`)],
  isViolation: true,
});

export const inPcr = (pcr: number, entry: ListEntry): ListEntry => ({ ...entry, pcr });

export const evm: ListEntry = {
  pcr: 7,
  templateName: 'evm-sig',
  fields: [
    digestNg('x'),
    text('/x\0'),
    Buffer.from('0504aa', 'hex'),
    text('security.ima|security.capability\0'),
    Buffer.from('2200000014000000', 'hex'),
    Buffer.from('0404beef', 'hex'),
    Buffer.from('e8030000', 'hex'),
    Buffer.from('ffffffff', 'hex'),
    Buffer.from('ed81', 'hex'),
  ],
  isViolation: false,
};

/** One of each form there is. */
export const MIXED: readonly ListEntry[] = [
  ng('boot_aggregate'),
  legacy('/bin/old name'),
  sig('/bin/signed', '030204aabb'),
  sig('/bin/unsigned', ''),
  violation('/log'),
  evm,
  { ...ng('/own/format'), templateName: 'd-ng|n-ng' },
  { ...ng('/v2'), templateName: 'ima-ngv2', fields: [ngv2(), text('/v2\0')] },
  ng('/na\xefve\xa0\x85\x1b name'.replace(' ', '_')),
];

function ngv2(): Buffer {
  return Buffer.concat([text('ima:sha512:\0'), createHash('sha512').update('v2').digest()]);
}

export const binaryList = (bank: string, entries: readonly ListEntry[]): Buffer =>
  Buffer.concat(entries.map((entry) => binaryRecord(bank, entry)));

export const asciiList = (bank: string, entries: readonly ListEntry[]): string =>
  entries.map((entry) => asciiLine(bank, entry)).join('');

/** Only what every list has. */
export const contentOf = ({ pcr, templateName, fields, isViolation }: ListEntry): ListEntry => ({
  pcr,
  templateName,
  fields: fields.map((field) => Buffer.from(field)),
  isViolation,
});

const name = fc
  .uint8Array({ minLength: 1, maxLength: 40 })
  .map((bytes) => bytes.map((byte) => (byte === 0 || byte === 0x20 || byte === 0x0a ? 0x5f : byte)))
  .map((bytes) => Buffer.concat([bytes, Buffer.of(0)]));

/** Entries as ima-ng, ima-sig and ima make them, names of any bytes. */
export const anyEntry: fc.Arbitrary<ListEntry> = fc
  .record({
    pcr: fc.integer({ min: 0, max: 23 }),
    templateName: fc.constantFrom('ima-ng', 'ima-sig', 'ima', 'd-ng|n-ng|sig'),
    name,
    signature: fc.uint8Array({ maxLength: 12 }),
    isViolation: fc.boolean(),
  })
  .map(({ name: path, signature, templateName, ...rest }) => {
    const digest = createHash(templateName === 'ima' ? 'sha1' : 'sha256')
      .update(path)
      .digest();
    const prefixed = templateName === 'ima' ? digest : Buffer.concat([text('sha256:\0'), digest]);
    const more = templateName.endsWith('sig') ? [Buffer.from(signature)] : [];
    return { ...rest, templateName, fields: [prefixed, path, ...more] };
  });

export const BANKS = ['sha1', 'sha256', 'sha384', 'sha512'] as const;
