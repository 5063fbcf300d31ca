import { hashAlgorithmByName } from '../digest/hash-algorithms.js';
import type { HashAlgorithm } from '../ports.js';
import { SIGNATURE_HEADER_BYTES } from './decode-signature.js';
import type { EVM_IMA_XATTR_DIGSIG, IMA_VERITY_DIGSIG } from './decode-xattr.js';

export interface SignatureHeader {
  readonly type: typeof EVM_IMA_XATTR_DIGSIG | typeof IMA_VERITY_DIGSIG;
  readonly version: 2 | 3;
  readonly algorithm: HashAlgorithm;
  /** The last four bytes of the key's identifier. */
  readonly keyId: number;
}

/** The security.ima of a signature: struct signature_v2_hdr (integrity.h) behind its type. */
export function encodeSignature(header: SignatureHeader, signature: Uint8Array): Uint8Array {
  const value = new Uint8Array(SIGNATURE_HEADER_BYTES + signature.length);
  const view = new DataView(value.buffer);
  value.set([header.type, header.version, algorithmId(header.algorithm)]);
  view.setUint32(3, header.keyId);
  view.setUint16(7, signature.length);
  value.set(signature, SIGNATURE_HEADER_BYTES);
  return value;
}

/** The algorithm is never a caller's input, so that not to know it would be a bug. */
function algorithmId(algorithm: HashAlgorithm): number {
  const facts = hashAlgorithmByName(algorithm);
  if (!facts) {
    throw new Error(`no kernel id for hash algorithm ${algorithm}`);
  }
  return facts.id;
}
