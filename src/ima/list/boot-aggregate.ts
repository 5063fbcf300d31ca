import { bankHash } from '../digest/bank-hash.js';
import { hashAlgorithmByName } from '../digest/hash-algorithms.js';
import type { Digest, HashAlgorithm } from '../ports.js';
import { type EventData, NOTHING } from '../template/field.js';

/** Of the static root of trust and the boot loader: PCR 0 to 9, for SHA-1 0 to 7 (ima_crypto.c). */
const PCRS = 10;
const PCRS_OF_SHA1 = 8;

/** PCRs that boot_aggregate is over. */
export const bootPcrs: readonly number[] = Array.from({ length: PCRS }, (_, pcr) => pcr);

/** The bank that boot_aggregate is of: ima_hash='s, else SHA-256's, else SHA-1's. */
export function bootBank(
  banks: readonly HashAlgorithm[],
  hashAlgorithm: HashAlgorithm,
): HashAlgorithm | undefined {
  return [hashAlgorithm, 'sha256', 'sha1'].find((bank) => banks.includes(bank));
}

/**
 * The first event of every list (ima_add_boot_aggregate, ima_init.c). `values`: of `bootPcrs` in each
 * bank, `bank` the one to show; without a TPM (undefined) the digest is zeros.
 */
export function bootAggregate(
  hashAlgorithm: HashAlgorithm,
  tpm:
    | {
        readonly bank: HashAlgorithm;
        readonly values: ReadonlyMap<HashAlgorithm, readonly Uint8Array[]>;
      }
    | undefined,
): EventData {
  const digestOf = (algorithm: HashAlgorithm): Digest => {
    const values = tpm?.values.get(algorithm);
    return { algorithm, bytes: values ? aggregate(algorithm, values) : zeros(algorithm) };
  };
  const digest = digestOf(tpm?.bank ?? hashAlgorithm);
  // The template of old has no other room (ima_eventdigest_init calculates it for SHA-1).
  const legacyDigest = digestOf('sha1');
  const name = Buffer.from('boot_aggregate');
  return { ...NOTHING, name, digest, legacyDigest, defaultAlgorithm: hashAlgorithm };
}

function aggregate(bank: HashAlgorithm, values: readonly Uint8Array[]): Uint8Array {
  const counted = values.slice(0, bank === 'sha1' ? PCRS_OF_SHA1 : PCRS);
  return bankHash(bank, Buffer.concat(counted));
}

function zeros(algorithm: HashAlgorithm): Uint8Array {
  return new Uint8Array(hashAlgorithmByName(algorithm)?.digestBytes ?? 0);
}
