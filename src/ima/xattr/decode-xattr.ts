import { hashAlgorithmById } from '../digest/hash-algorithms.js';
import type { HashAlgorithm } from '../ports.js';
import { SIGNATURE_HEADER_BYTES } from './decode-signature.js';

/** enum evm_ima_xattr_type (integrity.h), the first byte of security.ima. */
export const IMA_XATTR_DIGEST = 0x01;
export const EVM_IMA_XATTR_DIGSIG = 0x03;
export const IMA_XATTR_DIGEST_NG = 0x04;
/** In security.evm. */
export const EVM_XATTR_PORTABLE_DIGSIG = 0x05;
export const IMA_VERITY_DIGSIG = 0x06;

/** What security.ima says, as far as its bytes go. */
export type ImaXattr =
  | {
      readonly kind: 'digest';
      readonly type: typeof IMA_XATTR_DIGEST | typeof IMA_XATTR_DIGEST_NG;
      /** The algorithm byte names none the kernel knows: nothing can be equal to it. */
      readonly algorithmUnknown: boolean;
      /** Everything behind the type (and algorithm byte), be it too short or too long. */
      readonly bytes: Uint8Array;
    }
  | {
      readonly kind: 'signature';
      readonly type: typeof EVM_IMA_XATTR_DIGSIG | typeof IMA_VERITY_DIGSIG;
      /** 0 where there is not even a version byte: the kernel reads its zeroed buffer there. */
      readonly version: number;
    }
  | { readonly kind: 'unknown'; readonly type: number };

/** Takes any bytes; undefined for an empty value, which the kernel treats as no xattr at all. */
export function decodeXattr(value: Uint8Array): ImaXattr | undefined {
  const type = value[0];
  switch (type) {
    case undefined:
      return undefined;
    case IMA_XATTR_DIGEST:
      return { kind: 'digest', type, algorithmUnknown: false, bytes: value.subarray(1) };
    case IMA_XATTR_DIGEST_NG: {
      const algorithmUnknown = value.length > 1 && hashAlgorithmById(value[1]) === undefined;
      return { kind: 'digest', type, algorithmUnknown, bytes: value.subarray(2) };
    }
    case EVM_IMA_XATTR_DIGSIG:
    case IMA_VERITY_DIGSIG:
      return { kind: 'signature', type, version: value[1] ?? 0 };
    default:
      return { kind: 'unknown', type };
  }
}

/** Whether the value is a signature of either kind, which nobody may write a hash over. */
export function isSignature(value: Uint8Array | undefined): boolean {
  return value?.[0] === EVM_IMA_XATTR_DIGSIG || value?.[0] === IMA_VERITY_DIGSIG;
}

/**
 * ima_get_hash_algo (ima_appraise.c): the algorithm a file is to be hashed with, by its
 * security.ima; `standard` (ima_hash=) where that names none. Version 3 of a plain file's signature
 * counts since 7.1.
 */
export function hashAlgorithmOfXattr(
  value: Uint8Array | undefined,
  standard: HashAlgorithm,
): HashAlgorithm {
  if (!value || value.length < 2) {
    return standard;
  }
  switch (value[0]) {
    case IMA_XATTR_DIGEST:
      return algorithmOfLegacyDigest(value) ?? standard;
    case IMA_XATTR_DIGEST_NG:
      return hashAlgorithmById(value[1])?.name ?? standard;
    case EVM_IMA_XATTR_DIGSIG:
      return value[1] === 2 || value[1] === 3 ? algorithmOfSignature(value, standard) : standard;
    case IMA_VERITY_DIGSIG:
      return value[1] === 3 ? algorithmOfSignature(value, standard) : standard;
    default:
      return standard;
  }
}

/** Type 0x01 has no algorithm byte: the length tells, and md5 was once padded to sha1's size. */
function algorithmOfLegacyDigest(value: Uint8Array): HashAlgorithm | undefined {
  if (value.length === 21) {
    return value.subarray(17, 21).every((byte) => byte === 0) ? 'md5' : 'sha1';
  }
  return value.length === 17 ? 'md5' : undefined;
}

function algorithmOfSignature(value: Uint8Array, standard: HashAlgorithm): HashAlgorithm {
  const named = value.length > SIGNATURE_HEADER_BYTES ? hashAlgorithmById(value[2]) : undefined;
  return named?.name ?? standard;
}
