/** PKCS#7 and CMS messages (RFC 5652) as far as the kernel's parser of appended signatures reads them. */
import * as asn1js from 'asn1js';
import * as pkijs from 'pkijs';
import { failure, type Result, success } from '../base/result.js';
import { bytesOf } from './certificate-extensions.js';
import { readAsn1 } from './read-asn1.js';
import { signatureAlgorithmOf } from './signature-algorithm.js';

/** A detached signature of some content by one signer or more (struct pkcs7_message). */
export interface Pkcs7 {
  /** Kernel name of the algorithm that the content is to be hashed with: the first signer's. */
  readonly digestAlgorithm: string;
  /** What is signed is plain data: the kernel wants that of appended signatures. */
  readonly isOfData: boolean;
  readonly signers: readonly Pkcs7Signer[];
  /** Certificates that came with it, in DER. */
  readonly certificates: readonly Uint8Array[];
}

/** struct pkcs7_signed_info */
export interface Pkcs7Signer {
  readonly id:
    | {
        readonly kind: 'issuer-and-serial';
        readonly issuer: Uint8Array;
        readonly serial: Uint8Array;
      }
    | { readonly kind: 'skid'; readonly skid: Uint8Array };
  readonly digestAlgorithm: string;
  /** Undefined: one that the kernel does not have, so nothing verifies it. */
  readonly signatureAlgorithm: 'rsa' | 'ec' | undefined;
  readonly signature: Uint8Array;
  readonly signedAttributes: SignedAttributes | undefined;
}

/** Where there are any, they are what is signed, and the content by its digest among them. */
export interface SignedAttributes {
  /** To be hashed: with the tag of a SET, RFC 5652 section 5.4. */
  readonly der: Uint8Array;
  readonly messageDigest: Uint8Array;
}

/** A message holds one signature and some certificates. */
export const PKCS7_BYTES_MAX = 64 * 1024;

const SIGNED_DATA = '1.2.840.113549.1.7.2';
const DATA = '1.2.840.113549.1.7.1';
const CONTENT_TYPE = '1.2.840.113549.1.9.3';
const MESSAGE_DIGEST = '1.2.840.113549.1.9.4';
const RSA_ENCRYPTION = '1.2.840.113549.1.1.1';

/** Class of context-specific tags; [0] are the certificates, and a key id in place of issuer and serial. */
const CONTEXT = 3;

/** pkcs7_sig_note_digest_algo (pkcs7_parser.c) */
const DIGESTS: Readonly<Record<string, string>> = {
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
  '2.16.840.1.101.3.4.2.4': 'sha224',
  '2.16.840.1.101.3.4.2.8': 'sha3-256',
  '2.16.840.1.101.3.4.2.9': 'sha3-384',
  '2.16.840.1.101.3.4.2.10': 'sha3-512',
};

/** The problem is a sentence. */
export function parsePkcs7(der: Uint8Array): Result<Pkcs7, string> {
  if (der.length > PKCS7_BYTES_MAX) {
    return failure(`longer than ${PKCS7_BYTES_MAX} bytes`);
  }
  try {
    return readMessage(der);
  } catch (error) {
    // The parser throws for whatever it does not understand, and input is anybody's.
    return failure((error as Error).message);
  }
}

function readMessage(der: Uint8Array): Result<Pkcs7, string> {
  const info = new pkijs.ContentInfo({ schema: readAsn1(der) });
  if (info.contentType !== SIGNED_DATA) {
    return failure(`signed data was expected, not ${info.contentType}`);
  }
  const content = info.content as asn1js.Sequence;
  const message = new pkijs.SignedData({ schema: content });
  if (message.encapContentInfo.eContent !== undefined) {
    return failure('it has the content inside, and should be detached');
  }
  const signers = message.signerInfos.map((info) => signerOf(info, message));
  const problem = signers.find((signer) => typeof signer === 'string');
  if (problem !== undefined) {
    return failure(problem);
  }
  const good = signers.filter((signer) => typeof signer !== 'string');
  const [first] = good;
  if (first === undefined) {
    return failure('nobody signed it');
  }
  // pkcs7_check_authattrs
  const withAttributes = good.filter(({ signedAttributes }) => signedAttributes !== undefined);
  if (withAttributes.length > 0 && withAttributes.length < good.length) {
    return failure('some signers have signed attributes, and some have none');
  }
  return success({
    digestAlgorithm: first.digestAlgorithm,
    isOfData: message.encapContentInfo.eContentType === DATA,
    signers: good,
    certificates: certificatesOf(content),
  });
}

function signerOf(info: pkijs.SignerInfo, message: pkijs.SignedData): Pkcs7Signer | string {
  const oid = info.digestAlgorithm.algorithmId;
  const digestAlgorithm = Object.hasOwn(DIGESTS, oid) ? DIGESTS[oid] : undefined;
  if (digestAlgorithm === undefined) {
    return `the kernel has no hash algorithm ${oid}`;
  }
  const signedAttributes = info.signedAttrs && attributesOf(info.signedAttrs, message);
  if (typeof signedAttributes === 'string') {
    return signedAttributes;
  }
  return {
    id: signerId(info),
    digestAlgorithm,
    signatureAlgorithm: keyKindOf(info.signatureAlgorithm.algorithmId),
    signature: bytesOf(info.signature),
    signedAttributes,
  };
}

function signerId({ sid }: pkijs.SignerInfo): Pkcs7Signer['id'] {
  if (sid instanceof pkijs.IssuerAndSerialNumber) {
    const issuer = new Uint8Array(sid.issuer.valueBeforeDecode);
    return { kind: 'issuer-and-serial', issuer, serial: bytesOf(sid.serialNumber) };
  }
  if (sid instanceof asn1js.Primitive) {
    return { kind: 'skid', skid: Uint8Array.from(sid.valueBlock.valueHexView) };
  }
  throw new TypeError('a signer is named neither by issuer and serial number nor by key id');
}

/** pkcs7_sig_note_set_of_authattrs: both of these must be there. */
function attributesOf(
  { attributes, encodedValue }: pkijs.SignedAndUnsignedAttributes,
  { encapContentInfo }: pkijs.SignedData,
): SignedAttributes | string {
  const valueOf = (oid: string): unknown => attributes.find(({ type }) => type === oid)?.values[0];
  const contentType = valueOf(CONTENT_TYPE);
  const messageDigest = valueOf(MESSAGE_DIGEST);
  const isOfContent =
    contentType instanceof asn1js.ObjectIdentifier &&
    contentType.valueBlock.toString() === encapContentInfo.eContentType;
  if (!isOfContent || !(messageDigest instanceof asn1js.OctetString)) {
    return 'its signed attributes do not name the content and its digest';
  }
  return { der: new Uint8Array(encodedValue), messageDigest: bytesOf(messageDigest) };
}

/** pkcs7_sig_note_pkey_algo: RSA by the key's name, ECDSA by the signature's. */
function keyKindOf(oid: string): 'rsa' | 'ec' | undefined {
  if (oid === RSA_ENCRYPTION) {
    return 'rsa';
  }
  return signatureAlgorithmOf(oid)?.key === 'ec' ? 'ec' : undefined;
}

/** As they stand in it: what is parsed and encoded anew need not be the same. */
function certificatesOf({ valueBlock }: asn1js.Sequence): Uint8Array[] {
  const set = valueBlock.value.find(
    ({ idBlock }) => idBlock.tagClass === CONTEXT && idBlock.tagNumber === 0,
  );
  return set instanceof asn1js.Constructed
    ? set.valueBlock.value.map(({ valueBeforeDecodeView }) =>
        Uint8Array.from(valueBeforeDecodeView),
      )
    : [];
}
