/**
 * Policy files named by path are read one at a time for each namespace and two at a time in all: each
 * read occupies a thread of the pool that the whole daemon shares, for as long as the file system of
 * whoever named it likes. The system's root does not wait.
 */
import type { Caller, FileOfCaller } from '../binding/addon-types.js';

/** Reads a file as the caller would open it; rejects with an Error with `code`. */
type Read = (caller: Caller, path: string, limitBytes: number) => Promise<FileOfCaller>;

const MOST_AT_ONCE = 2;

/** Somebody whose turn has not come. */
interface Waiting {
  readonly scope: bigint;
  readonly start: () => void;
}

export class PolicyReads {
  readonly #underWay = new Set<bigint>();
  /** In the order they came. */
  readonly #waiting = new Set<Waiting>();

  constructor(
    private readonly systemScope: bigint,
    /** How long one may wait for its turn. */
    private readonly patienceMs: number,
    private readonly readNow: Read,
  ) {}

  /** Rejects with `code` ETIMEDOUT if its turn does not come. */
  async read(caller: Caller, path: string, limitBytes: number): Promise<FileOfCaller> {
    const { scope } = caller;
    if (scope === this.systemScope) return this.readNow(caller, path, limitBytes);
    await this.#turn(scope);
    try {
      return await this.readNow(caller, path, limitBytes);
    } finally {
      this.#underWay.delete(scope);
      this.#startNext();
    }
  }

  #turn(scope: bigint): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(waiting);
        reject(
          Object.assign(new Error('other policy files are being read'), { code: 'ETIMEDOUT' }),
        );
      }, this.patienceMs);
      const start = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(waiting);
        this.#underWay.add(scope);
        resolve();
      };
      const waiting = { scope, start };
      this.#waiting.add(waiting);
      this.#startNext();
    });
  }

  #startNext(): void {
    for (const { scope, start } of this.#waiting) {
      if (this.#underWay.size === MOST_AT_ONCE) return;
      if (!this.#underWay.has(scope)) start();
    }
  }
}
