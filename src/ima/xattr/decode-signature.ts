import { hashAlgorithmById } from '../digest/hash-algorithms.js';
import type { HashAlgorithm } from '../ports.js';

/** struct signature_v2_hdr: type, version, hash_algo, keyid (4, big endian), sig_size (2, big endian). */
export const SIGNATURE_HEADER_BYTES = 9;

/** EVM_IMA_XATTR_DIGSIG and IMA_VERITY_DIGSIG */
const SIGNATURE_TYPES: readonly number[] = [0x03, 0x06];

/** A signature of version 2 or 3 and what its header says. */
export interface Signature {
  /** Undefined for a byte the kernel does not know. */
  readonly algorithm: HashAlgorithm | undefined;
  /** Last four bytes of the subject key identifier of the key it was made with. */
  readonly keyId: number;
  /** RSA PKCS#1 v1.5, or ECDSA in DER. */
  readonly bytes: Uint8Array;
}

/**
 * Reads what stands behind type and version in security.ima or security.evm. Takes any bytes; undefined
 * where there is no signature, or its length is not what the header says (asymmetric_verify: EBADMSG).
 */
export function decodeSignature(value: Uint8Array): Signature | undefined {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  const sizeBytes = value.length - SIGNATURE_HEADER_BYTES;
  if (sizeBytes <= 0 || view.getUint16(7) !== sizeBytes) {
    return undefined;
  }
  return {
    algorithm: hashAlgorithmById(value[2])?.name,
    keyId: view.getUint32(3),
    bytes: value.subarray(SIGNATURE_HEADER_BYTES),
  };
}

/** The id of the key that a signature in security.ima names, undefined where there is none. */
export function keyIdOf(imaXattr: Uint8Array | undefined): number | undefined {
  return imaXattr && SIGNATURE_TYPES.includes(imaXattr[0] ?? 0)
    ? decodeSignature(imaXattr)?.keyId
    : undefined;
}

/** A key id as tools write it: eight hex digits. */
export function showKeyId(keyId: number): string {
  return keyId.toString(16).padStart(8, '0');
}
