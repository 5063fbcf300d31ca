/**
 * Looks at ASN.1 before it is parsed: the parser makes an object of each part of an object identifier and
 * decodes strings, of any length, on the daemon's one thread.
 */

const OCTET_STRING = 4;
const BIT_STRING = 3;
const OBJECT_IDENTIFIER = 6;
const RELATIVE_OID = 13;
/** Of names; the kernel's parser takes 64 characters of each. */
const FIRST_STRING = 12;
const LAST_STRING = 30;

/** SEQUENCE and SET */
const CONSTRUCTED: readonly number[] = [16, 17];

/** No identifier that anybody knows is half as long. */
const IDENTIFIER_BYTES_MAX = 64;
const STRING_BYTES_MAX = 4096;
/** Values in all, those within octet and bit strings too, which the parser tries to read. */
const VALUES_MAX = 2000;
const DEPTH_MAX = 40;

/** Throws an Error for what would take long to parse. What is malformed is for the parser to say. */
export function boundAsn1(bytes: Uint8Array): void {
  let values = 0;
  const walk = (from: number, end: number, depth: number): void => {
    for (let at = from; at < end; ) {
      const value = headerAt(bytes, at, end);
      if (value === undefined) return;
      values += 1;
      if (values > VALUES_MAX || depth > DEPTH_MAX) {
        throw new Error('too many values, or too deep');
      }
      const { tag, isConstructed, contentAt, contentEnd } = value;
      demandShort(tag, contentEnd - contentAt);
      if (isConstructed) walk(contentAt, contentEnd, depth + 1);
      else if (tag === OCTET_STRING) walk(contentAt, contentEnd, depth + 1);
      else if (tag === BIT_STRING) walk(contentAt + 1, contentEnd, depth + 1);
      at = contentEnd;
    }
  };
  walk(0, bytes.length, 0);
}

function demandShort(tag: number, sizeBytes: number): void {
  const isIdentifier = tag === OBJECT_IDENTIFIER || tag === RELATIVE_OID;
  const isString = tag >= FIRST_STRING && tag <= LAST_STRING && !CONSTRUCTED.includes(tag);
  if (isIdentifier && sizeBytes > IDENTIFIER_BYTES_MAX) {
    throw new Error('an object identifier is too long');
  }
  if (isString && sizeBytes > STRING_BYTES_MAX) {
    throw new Error('a string is too long');
  }
}

interface Header {
  /** 0 to 30; 31 where it stands in bytes of its own, as no certificate's does. */
  readonly tag: number;
  readonly isConstructed: boolean;
  readonly contentAt: number;
  /** Within the value around it; of indefinite length: to its end. */
  readonly contentEnd: number;
}

function headerAt(bytes: Uint8Array, at: number, end: number): Header | undefined {
  const [first, length] = [bytes[at], bytes[at + 1]];
  if (first === undefined || length === undefined || at + 2 > end) return undefined;
  const isUniversal = first >> 6 === 0;
  const lengthBytes = length < 0x80 ? 0 : length & 0x7f;
  if (lengthBytes > 4 || (first & 0x1f) === 31) return undefined;
  const contentAt = at + 2 + lengthBytes;
  const given = bytes.subarray(at + 2, contentAt).reduce((sum, byte) => sum * 256 + byte, 0);
  const sizeBytes = length < 0x80 ? length : length === 0x80 ? end - contentAt : given;
  return {
    tag: isUniversal ? first & 0x1f : 0,
    isConstructed: (first & 0x20) !== 0,
    contentAt,
    contentEnd: Math.min(end, contentAt + sizeBytes),
  };
}
