import { EXIT } from './exit-codes.js';
import { UserError } from './user-error.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** After the first signal a command has this long to end. */
const PATIENCE_MS = 5000;

/**
 * Signals that must not end this process before it has taken down what it made. They are passed on to
 * the command, and end it by force if they come twice or it does not obey.
 */
export class Interruption {
  #first: NodeJS.Signals | undefined;
  #kill: ((signal: NodeJS.Signals) => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor() {
    for (const signal of SIGNALS) process.on(signal, this.#take);
  }

  /** To be asked between steps. */
  throwIfInterrupted(hints: readonly string[] = []): void {
    if (this.#first === undefined) return;
    throw new UserError(EXIT.runtime, 'interrupted', `interrupted by ${this.#first}`, hints);
  }

  /** From now on there is a command that signals are for. */
  passOnTo(kill: (signal: NodeJS.Signals) => void): void {
    this.#kill = kill;
  }

  /** The command has ended; signals are taken and change nothing more. */
  commandEnded(): void {
    this.#kill = undefined;
    clearTimeout(this.#timer);
  }

  release(): void {
    this.commandEnded();
    for (const signal of SIGNALS) process.off(signal, this.#take);
  }

  #take = (signal: NodeJS.Signals): void => {
    const isFirst = this.#first === undefined;
    this.#first ??= signal;
    this.#kill?.(isFirst ? signal : 'SIGKILL');
    if (isFirst) this.#timer = setTimeout(() => this.#kill?.('SIGKILL'), PATIENCE_MS);
  };
}
