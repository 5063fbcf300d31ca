/** A TPM behind tpm2-tss, which a thread of its own calls. */
import type { HashAlgorithm } from '../ima/ports.js';
import { BANKS, type Bank, TPM_PCRS } from './pcr-banks.js';
import type { Tcti } from './tcti.js';
import type { ExtendOrder, PcrValues, Tpm } from './tpm.js';
import { TssThread } from './tss-thread.js';

/** More than a self-test of a slow TPM takes, and more than tss-connection.ts waits for a busy one. */
const DEADLINE_MS = 30_000;

export interface TssOptions {
  /** How long one command may take. */
  readonly deadlineMs?: number;
}

/** Rejects with TpmFailed if the TPM cannot be reached or has no banks that can be used. */
export const openTss = async (tcti: Tcti, options: TssOptions = {}): Promise<Tpm> => {
  // tpm2-tss prints to stderr what it also returns. It asks getenv(3), which sees only what the main
  // thread sets.
  process.env['TSS2_LOG'] ??= 'all+NONE';
  const tss = new Tss(tcti, options.deadlineMs ?? DEADLINE_MS);
  try {
    await tss.reconnect();
    await tss.resume();
  } catch (error) {
    await tss.close();
    throw error;
  }
  return tss;
};

class Tss implements Tpm {
  readonly pcrs = TPM_PCRS;
  readonly #tcti: Tcti;
  readonly #deadlineMs: number;
  #thread: TssThread;
  #banks: readonly Bank[] = [];

  constructor(tcti: Tcti, deadlineMs: number) {
    this.#tcti = tcti;
    this.#deadlineMs = deadlineMs;
    this.#thread = new TssThread(tcti, deadlineMs);
  }

  get name(): string {
    return this.#tcti.name;
  }

  get banks(): readonly HashAlgorithm[] {
    return this.#banks.map(({ algorithm }) => algorithm);
  }

  extend(order: ExtendOrder): Promise<void> {
    const { digests } = order;
    const fits = this.#banks.every((bank, index) => digests[index]?.length === bank.digestBytes);
    if (fits && digests.length === this.#banks.length) return this.#thread.extend(order);
    return Promise.reject(
      new RangeError(`an order has one digest for each of ${this.banks.join()}`),
    );
  }

  async read(pcr: number): Promise<PcrValues> {
    const { values } = await this.#thread.ask({ kind: 'read', pcr }, 'values');
    return new Map(values);
  }

  async resetCount(): Promise<number> {
    const { count } = await this.#thread.ask({ kind: 'reset-count' }, 'reset-count');
    return count;
  }

  async reconnect(): Promise<void> {
    if (this.#thread.isDead) this.#thread = new TssThread(this.#tcti, this.#deadlineMs);
    const { algorithms } = await this.#thread.ask(
      { kind: 'open', algorithms: this.banks },
      'opened',
    );
    this.#banks = BANKS.filter(({ algorithm }) => algorithms.includes(algorithm));
    this.#thread.banks = this.#banks;
  }

  async resume(): Promise<void> {
    await this.#thread.ask({ kind: 'resume' }, 'resumed');
  }

  close(): Promise<void> {
    return this.#thread.close();
  }
}
