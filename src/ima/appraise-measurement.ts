import { hashAlgorithmByName } from './digest/hash-algorithms.js';
import { evmVerifyXattr } from './evm/verify-xattr.js';
import type { Keyring } from './keyring/keyring.js';
import { verifySignature } from './keyring/verify-signature.js';
import type { Demands } from './policy/match-policy.js';
import type { AppendedSignature, Digest, ImaFile, IntegrityStatus } from './ports.js';
import {
  decodeXattr,
  EVM_IMA_XATTR_DIGSIG,
  IMA_VERITY_DIGSIG,
  IMA_XATTR_DIGEST_NG,
  type ImaXattr,
} from './xattr/decode-xattr.js';

/** What is appraised: the file's digest against its security.ima, as a rule demands. */
export interface Appraisable {
  readonly file: Pick<ImaFile, 'imaXattr' | 'sizeBytes' | 'xattr' | 'object' | 'mode'>;
  /** IMA_NEW_FILE */
  readonly isNew: boolean;
  /** Of the content, or fs-verity's where the rule wants that one. */
  readonly found: Digest;
  readonly demands: Pick<Demands, 'signature' | 'verity' | 'failsSecurely'>;
  readonly keyring: Keyring;
  /** Read only where the rule allows it. */
  readonly modsig: AppendedSignature | undefined;
}

export interface Appraisal {
  readonly status: IntegrityStatus;
  /** Kernel string. Set whenever a record is due, which can be even though the status is PASS. */
  readonly cause: string | undefined;
  /** What security.ima holds, where it is a digest. */
  readonly wanted: Digest | undefined;
  /** IMA_DIGSIG: a signature vouches for the file, so that nobody may write to it. */
  readonly isSigned: boolean;
}

/** The highest signature version known: 3 for plain files since 7.1. */
const LAST_SIGNATURE_VERSION = 3;

/** FUSE_SUPER_MAGIC: SB_I_IMA_UNVERIFIABLE_SIGNATURE */
const UNVERIFIABLE: ReadonlySet<number> = new Set([0x65735546]);

/** ima_appraise_measurement without its fix mode (ima_appraise.c); causes in the kernel's order. */
export function appraiseMeasurement(appraisable: Appraisable): Appraisal {
  const { file, isNew, demands } = appraisable;
  const appraisal = appraiseLabel(appraisable);
  if (demands.failsSecurely && UNVERIFIABLE.has(file.object.fsMagic)) {
    return { ...appraisal, status: 'FAIL', cause: 'unverifiable-signature' };
  }
  // A copier sets the signature before it writes the data.
  const awaitsData = isNew && file.sizeBytes === 0 && appraisal.isSigned;
  return awaitsData ? { ...appraisal, status: 'PASS' } : appraisal;
}

function appraiseLabel(appraisable: Appraisable): Appraisal {
  const { file, keyring, modsig } = appraisable;
  const xattr = file.imaXattr && decodeXattr(file.imaXattr);
  if (!xattr && !modsig) {
    return withoutXattr(appraisable);
  }
  const evm = evmVerifyXattr(file, keyring);
  if (evm === 'FAIL') {
    return result('FAIL', 'invalid-HMAC');
  }
  if (evm === 'FAIL_IMMUTABLE') {
    return { ...result(evm, 'invalid-fail-immutable'), isSigned: true };
  }
  const verified = xattr && xattrVerify(xattr, appraisable, evm === 'PASS_IMMUTABLE');
  // Another key's signature is no reason to refuse what carries one of ours.
  const asksModsig =
    modsig && (!xattr || xattr.type === IMA_XATTR_DIGEST_NG || verified?.isKeyUnknown === true);
  if (asksModsig) {
    return modsig.verify(keyring) ? result('PASS') : result('FAIL', 'invalid-signature');
  }
  return verified ?? result('UNKNOWN', 'unknown');
}

/** -ENODATA */
function withoutXattr({ file, isNew, demands }: Appraisable): Appraisal {
  const { signature, verity } = demands;
  if (isNew && (signature === undefined || file.sizeBytes === 0)) {
    return result('PASS');
  }
  if (signature === undefined) {
    return result('NOLABEL', 'missing-hash');
  }
  return result('NOLABEL', verity ? 'verity-signature-required' : 'IMA-signature-required');
}

/** An appraisal by security.ima; `isKeyUnknown`: ENOKEY. */
type Verified = Appraisal & { readonly isKeyUnknown?: boolean };

/** xattr_verify; `isImmutable`: EVM found a portable signature over all attributes. */
function xattrVerify(xattr: ImaXattr, appraisable: Appraisable, isImmutable: boolean): Verified {
  const { found, demands } = appraisable;
  switch (xattr.kind) {
    case 'digest': {
      if (demands.signature !== undefined && !isImmutable) {
        return result('FAIL', 'IMA-signature-required');
      }
      const wanted = { algorithm: found.algorithm, bytes: wantedBytes(xattr.bytes, found) };
      const compared = isEqualDigest(xattr, found)
        ? result('PASS', undefined, wanted)
        : result('FAIL', 'invalid-hash', wanted);
      return { ...compared, isSigned: isImmutable };
    }
    case 'signature':
      return { ...signatureVerify(xattr, appraisable), isSigned: true };
    case 'unknown':
      return result('UNKNOWN', 'unknown-ima-data');
    default:
      return xattr satisfies never;
  }
}

function signatureVerify(
  { type, version }: ImaXattr & { kind: 'signature' },
  { file: { imaXattr }, found, demands, keyring }: Appraisable,
): Verified {
  const misfit =
    type === EVM_IMA_XATTR_DIGSIG
      ? misfitOfSignature(version, demands)
      : misfitOfVeritySignature(version, demands);
  if (misfit !== undefined || !imaXattr) {
    return result('FAIL', misfit);
  }
  const verdict = verifySignature(keyring, imaXattr, found);
  if (verdict === 'valid') {
    return result('PASS');
  }
  if (verdict === 'unsupported' && type === EVM_IMA_XATTR_DIGSIG) {
    return result('UNKNOWN', 'unknown');
  }
  const cause = type === IMA_VERITY_DIGSIG ? 'invalid-verity-signature' : 'invalid-signature';
  return { ...result('FAIL', cause), isKeyUnknown: verdict === 'no-key' };
}

function misfitOfSignature(
  version: number,
  { signature, verity }: Appraisable['demands'],
): string | undefined {
  if (signature !== undefined && verity) {
    return 'verity-signature-required';
  }
  if (version > LAST_SIGNATURE_VERSION) {
    return 'invalid-signature-version';
  }
  return signature === 'sigv3' && version !== LAST_SIGNATURE_VERSION
    ? 'IMA-sigv3-required'
    : undefined;
}

function misfitOfVeritySignature(
  version: number,
  { signature, verity }: Appraisable['demands'],
): string | undefined {
  if (signature !== undefined && !verity) {
    return 'IMA-signature-required';
  }
  return version === LAST_SIGNATURE_VERSION ? undefined : 'invalid-signature-version';
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

function result(status: IntegrityStatus, cause?: string, wanted?: Digest): Appraisal {
  return { status, cause, wanted, isSigned: false };
}
