/**
 * A TPM through tpm2-tss, from a worker thread: waits for a busy TPM, and knows when the connection or
 * the TPM's state is lost.
 *
 * tcti-swtpm makes a socket connection for every single command (tpm2-tss 3.2 and 4.1), so that others
 * get their turn, but a swtpm that was restarted between two commands answers the second as if nothing
 * had been, with PCRs that began anew. So the reset count is asked for whenever there was time enough
 * for a restart since the last command that surely met the old one.
 */
import { Esys, TssError } from './esys.js';
import { BANKS, type Bank, TPM_PCRS } from './pcr-banks.js';
import { TPM_RC_INITIALIZE } from './tpm-command.js';
import type { TssWorkerData } from './tss-messages.js';

/** TPM_RC_RETRY, TPM_RC_YIELDED, TPM_RC_TESTING: the TPM is busy. */
const BUSY = new Set([0x922, 0x908, 0x90a]);
const BUSY_LIMIT_MS = 5000;
const LONGEST_PAUSE_MS = 50;
const TPM2_SU_CLEAR = 0;
/** Layers (tss2_common.h) whose code is an answer of the TPM: itself, through a resource manager. */
const TPM_LAYERS = new Set([0, 12]);

/**
 * How long a TPM needs at least to be restarted: 4 ms were seen of swtpm, from SIGKILL to the first
 * answer. What tabrmd leads to is not known; a device is reset with the machine, or while it sleeps.
 */
const RESTART_MS: Readonly<Record<TssWorkerData['tctiKind'], number>> = {
  swtpm: 1,
  tabrmd: 100,
  device: 1000,
};

/** The connection failed or the PCRs began anew: nothing can be extended before another `open`. */
export class ConnectionLost extends Error {
  constructor(
    message: string,
    readonly rc: number,
  ) {
    super(message);
    this.name = 'ConnectionLost';
  }
}

const sleeper = new Int32Array(new SharedArrayBuffer(4));
const pause = (milliseconds: number) => Atomics.wait(sleeper, 0, 0, milliseconds);

const codeOf = (rc: number): number => rc & 0xffff;
const isAnswer = (rc: number): boolean => TPM_LAYERS.has((rc >>> 16) & 0xff);

/** Repeats `command` while the TPM says that it is busy. */
const whileBusy = <Answer>(command: () => Answer): Answer => {
  const limit = performance.now() + BUSY_LIMIT_MS;
  for (let wait = 1; ; wait = Math.min(wait * 2, LONGEST_PAUSE_MS)) {
    try {
      return command();
    } catch (error) {
      const isBusy = error instanceof TssError && isAnswer(error.rc) && BUSY.has(codeOf(error.rc));
      if (!isBusy || performance.now() > limit) throw error;
      pause(wait);
    }
  }
};

/** To ESYS numbers beyond the PCRs are other handles. */
const checkPcr = (pcr: number): void => {
  if (!(pcr >= 0 && pcr < TPM_PCRS)) throw new RangeError(`it has no PCR ${pcr}`);
};

export class TssConnection {
  readonly banks: readonly Bank[];
  readonly #esys: Esys;
  readonly #restartMs: number;
  readonly #resetCount: number;
  /** A command begun then was answered by the TPM that has #resetCount. */
  #lastMet: number;

  /** Throws what Esys throws, and ConnectionLost. */
  constructor({ tcti, tctiKind }: Pick<TssWorkerData, 'tcti' | 'tctiKind'>) {
    this.#restartMs = RESTART_MS[tctiKind];
    this.#esys = new Esys(tcti);
    try {
      this.#lastMet = performance.now();
      // Firmware starts a device. A swtpm may wait for its first command, which drivers send.
      this.#resetCount = this.#firstResetCount(tctiKind === 'swtpm');
      this.banks = this.#allocatedBanks();
    } catch (error) {
      this.#esys.close();
      throw error;
    }
  }

  close(): void {
    this.#esys.close();
  }

  /** `digests` as writeDigestValues. Throws TssError where the TPM refuses, else ConnectionLost. */
  extend(pcr: number, digests: Uint8Array): void {
    checkPcr(pcr);
    this.#command(() => this.#esys.pcrExtend(pcr, digests));
  }

  /** By kernel name of the bank. Throws as `extend`. */
  read(pcr: number): [string, Uint8Array][] {
    return this.banks.map((bank) => [bank.algorithm, this.#readBank(pcr, bank)]);
  }

  /** Throws as `extend`. */
  resetCount(): number {
    this.#command(() => this.#confirm());
    return this.#resetCount;
  }

  #readBank(pcr: number, bank: Bank): Uint8Array {
    checkPcr(pcr);
    const wanted = [{ algorithm: bank.id, select: 2 ** pcr }];
    const [found] = this.#command(() => this.#esys.pcrRead(wanted));
    if (found === undefined) throw new Error(`it has no PCR ${pcr} in bank ${bank.algorithm}`);
    return found.value;
  }

  #command<Answer>(command: () => Answer): Answer {
    try {
      if (performance.now() - this.#lastMet > this.#restartMs) this.#confirm();
      const began = performance.now();
      const answer = whileBusy(command);
      if (performance.now() - this.#lastMet > this.#restartMs) this.#confirm();
      else this.#lastMet = began;
      return answer;
    } catch (error) {
      throw this.#isLost(error) ? new ConnectionLost(error.message, error.rc) : error;
    }
  }

  #isLost(error: unknown): error is TssError {
    if (!(error instanceof TssError)) return false;
    return !isAnswer(error.rc) || codeOf(error.rc) === TPM_RC_INITIALIZE;
  }

  #confirm(): void {
    const began = performance.now();
    const count = whileBusy(() => this.#esys.resetCount());
    if (count !== this.#resetCount) {
      throw new ConnectionLost('it was reset, and its PCRs began anew', 0);
    }
    this.#lastMet = began;
  }

  #firstResetCount(mayStart: boolean): number {
    try {
      return whileBusy(() => this.#esys.resetCount());
    } catch (error) {
      const isUnstarted = error instanceof TssError && codeOf(error.rc) === TPM_RC_INITIALIZE;
      if (!mayStart || !isUnstarted) throw error;
      this.#startup();
      return whileBusy(() => this.#esys.resetCount());
    }
  }

  #startup(): void {
    try {
      this.#esys.startup(TPM2_SU_CLEAR);
    } catch (error) {
      // Whoever started the swtpm (swtpm.ts) may have been faster.
      const isStarted = error instanceof TssError && codeOf(error.rc) === TPM_RC_INITIALIZE;
      if (!isStarted) throw error;
    }
  }

  /**
   * An allocated bank that is not extended would show zeros, as if nothing had ever been measured, and
   * a verifier may choose that bank. The kernel extends a padded SHA-1 digest there; here such a TPM is
   * refused.
   */
  #allocatedBanks(): readonly Bank[] {
    const allocated = whileBusy(() => this.#esys.pcrBanks()).filter(({ select }) => select !== 0);
    const unknown = allocated.find(({ algorithm }) => !BANKS.some(({ id }) => id === algorithm));
    if (unknown !== undefined) {
      throw new Error(
        `it has a PCR bank of algorithm 0x${unknown.algorithm.toString(16)}, which imafs cannot extend: deallocate it (tpm2_pcrallocate)`,
      );
    }
    if (allocated.length === 0) throw new Error('it has no PCR bank: see tpm2_pcrallocate');
    return BANKS.filter(({ id }) => allocated.some(({ algorithm }) => algorithm === id));
  }
}
