import * as asn1js from 'asn1js';
import { boundAsn1 } from './bound-asn1.js';

/**
 * A certificate has a hundred values, a message some more. What has thousands would keep the daemon's one
 * thread from everybody else for as long as it is read.
 */
const LIMITS = { maxNodes: 1000, maxDepth: 40 };

/** The one ASN.1 value that the bytes are. Throws an Error that says why they are none. */
export function readAsn1(bytes: Uint8Array): asn1js.BaseBlock {
  boundAsn1(bytes);
  const { offset, result } = asn1js.fromBER(Uint8Array.from(bytes), LIMITS);
  if (offset !== bytes.length) {
    throw new Error(result.error === '' ? 'bytes follow the ASN.1 value' : result.error);
  }
  return result;
}
