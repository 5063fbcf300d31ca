import assert from 'node:assert/strict';

import type { FromAgent, ToAgent } from './agent-messages.js';
import { deferred } from './deferred.js';
import { SLOWNESS } from './slowness.js';

/** How a program ended. */
export interface Outcome {
  /** Exit status; null when a signal ended it. */
  readonly exit: number | null;
  readonly signal: string | null;
  /** errno name when it could not be executed at all; then exit is 127. */
  readonly failed: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program that an agent started and that still runs, or has ended. */
export class Running {
  stdout = '';
  stderr = '';
  /** Resolves when it ended and its output is complete; never rejects. */
  readonly ended: Promise<Outcome>;
  /** Pid in the agent's pid namespace; rejects if it could not be executed. */
  readonly pid: Promise<number>;
  readonly said: unknown[] = [];

  #pid = deferred<number>();
  #ended = deferred<Outcome>();
  #hasEnded = false;
  #heard = new Set<() => void>();

  constructor(
    private readonly id: number,
    readonly words: readonly string[],
    private readonly tell: (message: ToAgent) => void,
  ) {
    this.ended = this.#ended.promise;
    this.pid = this.#pid.promise;
    this.pid.catch(() => undefined);
  }

  /** Takes a message of the agent about this program. */
  hear(message: Exclude<FromAgent, { kind: 'ready' }>): void {
    switch (message.kind) {
      case 'started':
        this.#pid.resolve(message.pid);
        break;
      case 'stdout':
      case 'stderr':
        this[message.kind] += message.text;
        break;
      case 'said':
        this.said.push(message.message);
        break;
      case 'failed':
        this.#pid.reject(new Error(`${this.words[0]}: ${message.code}`));
        this.#end({ exit: 127, signal: null, failed: message.code });
        break;
      case 'ended':
        this.#end({ exit: message.exit, signal: message.signal, failed: undefined });
        break;
    }
    for (const listener of this.#heard) listener();
  }

  /** The agent itself is gone. */
  lose(): void {
    this.#pid.reject(new Error(`${this.words[0]}: its agent is gone`));
    this.#end({ exit: null, signal: 'SIGKILL', failed: 'the agent is gone' });
    for (const listener of this.#heard) listener();
  }

  /** Sends text to its standard input; undefined ends the input. */
  send(text: string | undefined): void {
    this.tell({ kind: 'input', id: this.id, text });
  }

  signal(signal: NodeJS.Signals): void {
    this.tell({ kind: 'signal', id: this.id, signal });
  }

  /** Kills it and all it started, and waits. */
  async kill(): Promise<Outcome> {
    this.signal('SIGKILL');
    return this.ended;
  }

  /** Waits until it has printed `line`, `times` times in all. */
  async printed(line: string, times = 1, timeoutMs = 15_000): Promise<void> {
    const seen = (): boolean => this.stdout.split('\n').filter((it) => it === line).length >= times;
    await this.until(seen, `print "${line}"`, timeoutMs);
  }

  /** Waits for a condition that its output or messages bring about; fails when it ends before. */
  async until(condition: () => boolean, what: string, timeoutMs: number): Promise<void> {
    const limitMs = timeoutMs * SLOWNESS;
    const { promise, resolve, reject } = deferred<undefined>();
    const failure = (how: string): Error =>
      new Error(
        `${this.words.join(' ')}: ${how} before it did ${what}\n${this.stdout}${this.stderr}`,
      );
    const check = (): void => {
      if (condition()) resolve(undefined);
      else if (this.#hasEnded) reject(failure('ended'));
    };
    const timer = setTimeout(() => {
      reject(failure(`${limitMs} ms passed`));
    }, limitMs);
    this.#heard.add(check);
    check();
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#heard.delete(check);
    }
  }

  /** Goes on past one `wait` of xt, the `count`-th it printed being awaited first. */
  async proceed(count = 1): Promise<void> {
    await this.printed('waiting', count);
    this.send('\n');
  }

  /** Waits for its end and demands exit status 0. */
  async succeeds(): Promise<Outcome> {
    const outcome = await this.ended;
    assert.equal(outcome.exit, 0, describeOutcome(this.words, outcome));
    return outcome;
  }

  #end(how: Pick<Outcome, 'exit' | 'signal' | 'failed'>): void {
    this.#hasEnded = true;
    this.#ended.resolve({ ...how, stdout: this.stdout, stderr: this.stderr });
  }
}

/** One line for assertion messages. */
export function describeOutcome(words: readonly string[], outcome: Outcome): string {
  const { exit, signal, failed, stdout, stderr } = outcome;
  return `${words.join(' ')}: exit ${exit} ${signal ?? ''} ${failed ?? ''}\n${stdout}${stderr}`;
}
