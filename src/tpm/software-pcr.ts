/** PCRs in memory, where there is no TPM: the list can be replayed, but nothing vouches for it. */
import { sha1 } from '@noble/hashes/legacy.js';
import { sha256 } from '@noble/hashes/sha2.js';
import type { HashAlgorithm } from '../ima/ports.js';
import { appendToJournal } from './journal-append.js';
import { type ExtendOrder, type PcrValues, type Tpm, TpmFailed } from './tpm.js';

/** As many as the kernel's IMA takes for pcr=: a bit each in 64. */
const PCRS = 64;

type Hash = (message: Uint8Array) => Uint8Array;

const hashes: readonly (readonly [HashAlgorithm, Hash, number])[] = [
  ['sha1', sha1, 20],
  ['sha256', sha256, 32],
];

export class SoftwarePcrs implements Tpm {
  readonly name = 'none';
  readonly pcrs = PCRS;
  readonly banks: readonly HashAlgorithm[] = hashes.map(([algorithm]) => algorithm);
  /** By PCR, one value for each bank. PCRs that were never extended are zeros and not in it. */
  readonly #values = new Map<number, readonly Uint8Array[]>();

  /** Nothing here waits, so that the order of the calls is the order of the extends. */
  extend({ pcr, digests, journal }: ExtendOrder): Promise<void> {
    return new Promise((resolve) => {
      if (hashes.some(([, , length], bank) => digests[bank]?.length !== length)) {
        throw new RangeError(`an order has one digest for each of ${this.banks.join()}`);
      }
      appendToJournal(journal.fd, journal.bytes);
      const values = this.#current(pcr).map((value, bank) => extended(value, bank, digests));
      this.#values.set(pcr, values);
      resolve();
    });
  }

  read(pcr: number): Promise<PcrValues> {
    return new Promise((resolve) => {
      const values = this.#current(pcr);
      resolve(new Map(values.map((value, bank) => [this.banks[bank] ?? '', value])));
    });
  }

  resetCount(): Promise<number> {
    return Promise.resolve(0);
  }

  reconnect(): Promise<void> {
    return Promise.resolve();
  }

  resume(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #current(pcr: number): readonly Uint8Array[] {
    if (!(pcr >= 0 && pcr < PCRS)) throw new TpmFailed(`there is no PCR ${pcr}`, 0);
    return this.#values.get(pcr) ?? hashes.map(([, , length]) => new Uint8Array(length));
  }
}

/** TPM 2.0 part 1, 17.4: new = H(old || digest). */
const extended = (old: Uint8Array, bank: number, digests: readonly Uint8Array[]): Uint8Array => {
  const [, hash] = hashes[bank] ?? [];
  const digest = digests[bank];
  if (hash === undefined || digest === undefined) throw new RangeError(`there is no bank ${bank}`);
  return hash(Buffer.concat([old, digest]));
};
