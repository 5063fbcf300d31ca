/** TPM2_ALG_ID (TCG Algorithm Registry) of the banks that imafs computes, the kernel's SHA-1 first. */
import type { HashAlgorithm } from '../ima/ports.js';

export interface Bank {
  readonly algorithm: HashAlgorithm;
  readonly id: number;
  readonly digestBytes: number;
}

export const BANKS: readonly Bank[] = [
  { algorithm: 'sha1', id: 0x4, digestBytes: 20 },
  { algorithm: 'sha256', id: 0xb, digestBytes: 32 },
  { algorithm: 'sha384', id: 0xc, digestBytes: 48 },
  { algorithm: 'sha512', id: 0xd, digestBytes: 64 },
];

/** A TPM has at most these (platform profile: 24). */
export const TPM_PCRS = 24;
