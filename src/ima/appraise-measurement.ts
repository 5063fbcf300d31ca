import { hashAlgorithmByName } from './digest/hash-algorithms.js';
import type { Digest, IntegrityStatus } from './ports.js';
import {
  decodeXattr,
  EVM_IMA_XATTR_DIGSIG,
  type ImaXattr,
  isSignature,
} from './xattr/decode-xattr.js';

/** What is appraised: the file's digest against its security.ima. */
export interface Appraisable {
  readonly found: Digest;
  readonly imaXattr: Uint8Array | undefined;
  /** IMA_NEW_FILE */
  readonly isNew: boolean;
  readonly sizeBytes: number;
}

export interface Appraisal {
  readonly status: IntegrityStatus;
  /** Kernel string. Set whenever a record is due, which can be even though the status is PASS. */
  readonly cause: string | undefined;
  /** What security.ima holds, where it is a digest. */
  readonly wanted: Digest | undefined;
}

/** The highest signature version known: 3 for plain files since 7.1. */
const LAST_SIGNATURE_VERSION = 3;

/** ima_appraise_measurement without its fix mode (ima_appraise.c); causes in the kernel's order. */
export function appraiseMeasurement(file: Appraisable): Appraisal {
  const xattr = file.imaXattr && decodeXattr(file.imaXattr);
  if (!xattr) {
    return file.isNew ? result('PASS') : result('NOLABEL', 'missing-hash');
  }
  const verified = xattrVerify(xattr, file.found);
  // A copier sets the signature before it writes the data.
  const awaitsData = file.isNew && file.sizeBytes === 0 && isSignature(file.imaXattr);
  return awaitsData ? { ...verified, status: 'PASS' } : verified;
}

/** xattr_verify */
function xattrVerify(xattr: ImaXattr, found: Digest): Appraisal {
  switch (xattr.kind) {
    case 'digest': {
      const wanted = { algorithm: found.algorithm, bytes: wantedBytes(xattr.bytes, found) };
      return isEqualDigest(xattr, found)
        ? result('PASS', undefined, wanted)
        : result('FAIL', 'invalid-hash', wanted);
    }
    case 'signature':
      return result('FAIL', causeOfSignature(xattr));
    case 'unknown':
      return result('UNKNOWN', 'unknown-ima-data');
    default:
      return xattr satisfies never;
  }
}

/**
 * A longer xattr is accepted (md5 was once padded), a shorter one never: its length is looked at
 * before its bytes. An unknown algorithm byte is refused, where the kernel falls back to its
 * default algorithm (DESIGN section 5).
 */
function isEqualDigest(xattr: ImaXattr & { kind: 'digest' }, found: Digest): boolean {
  const { bytes } = xattr;
  return (
    !xattr.algorithmUnknown &&
    bytes.length >= found.bytes.length &&
    found.bytes.every((byte, index) => byte === bytes[index])
  );
}

/** The padding or garbage behind a digest is not part of it. */
function wantedBytes(bytes: Uint8Array, found: Digest): Uint8Array {
  return bytes.subarray(0, hashAlgorithmByName(found.algorithm)?.digestBytes);
}

/**
 * There are no keys yet, so that every signature fails, for the reason a kernel without a keyring
 * gives (integrity_digsig_verify looks for the keyring before it looks at versions 0 to 2).
 */
function causeOfSignature({ type, version }: ImaXattr & { kind: 'signature' }): string {
  if (type === EVM_IMA_XATTR_DIGSIG) {
    return version > LAST_SIGNATURE_VERSION ? 'invalid-signature-version' : 'invalid-signature';
  }
  return version === LAST_SIGNATURE_VERSION
    ? 'invalid-verity-signature'
    : 'invalid-signature-version';
}

function result(status: IntegrityStatus, cause?: string, wanted?: Digest): Appraisal {
  return { status, cause, wanted };
}
