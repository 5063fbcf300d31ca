import type { RelativeDistinguishedNames } from 'pkijs';

const COMMON_NAME = '2.5.4.3';
const ORGANIZATION = '2.5.4.10';
const EMAIL = '1.2.840.113549.1.9.1';

/** So much of an organisation's name at the beginning of the common name tells it well enough. */
const TELLING_BYTES = 7;

/**
 * x509_key_preparse (x509_public_key.c): the subject's name, and the key id (or, without one, the serial
 * number) in hex.
 */
export function keyDescription(subject: RelativeDistinguishedNames, id: Uint8Array): string {
  return `${printable(subjectName(subject))}: ${Buffer.from(id).toString('hex')}`;
}

/** x509_fabricate_name (x509_cert_parser.c) */
function subjectName(subject: RelativeDistinguishedNames): Buffer {
  const common = part(subject, COMMON_NAME);
  const organization = part(subject, ORGANIZATION);
  if (common.length > 0 && organization.length > 0) {
    return tells(common, organization)
      ? common
      : Buffer.concat([organization, Buffer.from(': '), common]);
  }
  return [common, organization, part(subject, EMAIL)].find(({ length }) => length > 0) ?? common;
}

/** The bytes of the last such part, whatever they stand for; empty where there is none. */
function part({ typesAndValues }: RelativeDistinguishedNames, oid: string): Buffer {
  const found = typesAndValues.findLast(({ type }) => type === oid);
  return Buffer.from(found?.value.valueBlock.valueHexView ?? []);
}

function tells(common: Buffer, organization: Buffer): boolean {
  const most = Math.min(organization.length, TELLING_BYTES);
  const isPrefix = common.subarray(0, organization.length).equals(organization);
  const isTelling =
    organization.length >= TELLING_BYTES &&
    common.subarray(0, most).equals(organization.subarray(0, most));
  return isPrefix || isTelling;
}

/** Ends at a NUL as in the kernel; what could make two lines of one is a question mark. */
function printable(name: Buffer): string {
  const end = name.indexOf(0);
  return name.toString('utf8', 0, end < 0 ? name.length : end).replace(/\p{Cc}/gu, '?');
}
