/** Extensions of a certificate, RFC 5280 section 4.2, as far as the kernel looks at them. */
import type { BaseBlock } from 'asn1js';
import * as asn1js from 'asn1js';
import * as pkijs from 'pkijs';
import { failure, type Result, success } from '../base/result.js';
import { readAsn1 } from './read-asn1.js';

/** Who signed it; either or both may be there. */
export interface AuthorityKeyId {
  readonly keyId: Uint8Array | undefined;
  readonly issuerAndSerial:
    | { readonly issuer: Uint8Array; readonly serial: Uint8Array }
    | undefined;
}

export interface KeyUsage {
  readonly digitalSignature: boolean;
  readonly keyCertSign: boolean;
}

/** Values by the extensions' OIDs, of those that are looked at. */
export type Extensions = ReadonlyMap<string, BaseBlock>;

const SUBJECT_KEY_ID = '2.5.29.14';
const KEY_USAGE = '2.5.29.15';
const BASIC_CONSTRAINTS = '2.5.29.19';
const AUTHORITY_KEY_ID = '2.5.29.35';

/** GeneralName, choice directoryName */
const DIRECTORY_NAME = 4;

/** KeyUsage, bits 0 and 5 of a BIT STRING, which counts from the left. */
const DIGITAL_SIGNATURE = 0x80;
const KEY_CERT_SIGN = 0x04;

const READ = [SUBJECT_KEY_ID, KEY_USAGE, BASIC_CONSTRAINTS, AUTHORITY_KEY_ID];

/** The problem is a sentence. */
export function extensionsOf({ extensions = [] }: pkijs.Certificate): Result<Extensions, string> {
  const found = new Map<string, BaseBlock>();
  for (const { extnID, extnValue } of extensions.filter(({ extnID: id }) => READ.includes(id))) {
    // x509_process_extension refuses a second key id, RFC 5280 a second one of any kind.
    if (found.has(extnID)) {
      return failure(`the extension ${extnID} is there twice`);
    }
    found.set(extnID, readAsn1(bytesOf(extnValue)));
  }
  return success(found);
}

export function subjectKeyIdOf(extensions: Extensions): Uint8Array | undefined {
  const value = extensions.get(SUBJECT_KEY_ID);
  return value === undefined ? undefined : bytesOf(demand(value, asn1js.OctetString));
}

export function authorityKeyIdOf(extensions: Extensions): AuthorityKeyId | undefined {
  const value = extensions.get(AUTHORITY_KEY_ID);
  if (value === undefined) {
    return undefined;
  }
  const { keyIdentifier, authorityCertIssuer, authorityCertSerialNumber } =
    new pkijs.AuthorityKeyIdentifier({ schema: value });
  const name = authorityCertIssuer?.find(({ type }) => type === DIRECTORY_NAME)?.value as
    | pkijs.RelativeDistinguishedNames
    | undefined;
  return {
    keyId: keyIdentifier && bytesOf(keyIdentifier),
    issuerAndSerial:
      name && authorityCertSerialNumber
        ? {
            issuer: new Uint8Array(name.valueBeforeDecode),
            serial: bytesOf(authorityCertSerialNumber),
          }
        : undefined,
  };
}

export function isAuthority(extensions: Extensions): boolean {
  const value = extensions.get(BASIC_CONSTRAINTS);
  return value !== undefined && new pkijs.BasicConstraints({ schema: value }).cA;
}

export function keyUsageOf(extensions: Extensions): KeyUsage | undefined {
  const value = extensions.get(KEY_USAGE);
  if (value === undefined) {
    return undefined;
  }
  const [bits = 0] = bytesOf(demand(value, asn1js.BitString));
  return {
    digitalSignature: (bits & DIGITAL_SIGNATURE) !== 0,
    keyCertSign: (bits & KEY_CERT_SIGN) !== 0,
  };
}

/** Content of an INTEGER, OCTET STRING or BIT STRING. */
export function bytesOf(block: asn1js.Integer | asn1js.OctetString | asn1js.BitString): Uint8Array {
  return Uint8Array.from(block.valueBlock.valueHexView);
}

function demand<Block extends BaseBlock>(
  value: BaseBlock,
  kind: new (...args: never[]) => Block,
): Block {
  if (value instanceof kind) {
    return value;
  }
  throw new TypeError(`an extension has a value that is no ${kind.name}`);
}
