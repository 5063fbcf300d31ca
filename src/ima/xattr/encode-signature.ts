import { hashAlgorithmByName } from '../digest/hash-algorithms.js';
import type { Digest, HashAlgorithm } from '../ports.js';
import type { EVM_IMA_XATTR_DIGSIG, IMA_VERITY_DIGSIG } from './decode-xattr.js';

/** Type, version, algorithm, keyid (4), size of the signature (2). */
export const SIGNATURE_HEADER_BYTES = 9;

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

/** struct ima_file_id (ima.h), the hash of which a signature of version 3 is over. */
export function encodeFileId(
  type: SignatureHeader['type'],
  { algorithm, bytes }: Digest,
): Uint8Array {
  return Uint8Array.from([type, algorithmId(algorithm), ...bytes]);
}

/** The algorithm is never a caller's input, so that not to know it would be a bug. */
function algorithmId(algorithm: HashAlgorithm): number {
  const facts = hashAlgorithmByName(algorithm);
  if (!facts) {
    throw new Error(`no kernel id for hash algorithm ${algorithm}`);
  }
  return facts.id;
}
