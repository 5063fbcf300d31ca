/**
 * The main side of tss-worker.ts: its queue, and what becomes of the queue when the TPM hangs.
 *
 * The thread cannot be interrupted inside tpm2-tss. A TPM that does not answer in time is given up:
 * every order after the one under way is journalled and failed here, in order, and so is each later
 * one at once, until the thread came back from the TPM.
 */
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { appendToJournal } from './journal-append.js';
import type { Bank } from './pcr-banks.js';
import type { Tcti } from './tcti.js';
import { type ExtendOrder, JournalFailed, TpmFailed } from './tpm.js';
import {
  FINISHED,
  GIVEN_UP,
  IDLE,
  IN_TPM,
  JOURNALLING,
  packOrders,
  SHARED_BYTES,
  STATE,
  type TssReply,
  type TssRequest,
  type TssWorkerData,
} from './tss-messages.js';

/** Of the thread: hardly anything in it outlives a batch. */
const WORKER_LIMITS = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 };
/** Orders in one message, and messages under way: the thread has the next when it is done with one. */
const BATCH_ORDERS = 64;
const BATCHES_UNDER_WAY = 2;
const CHECKS_PER_DEADLINE = 4;

type Request = Exclude<TssRequest, { kind: 'extend' }>;
type ReplyOf<Kind> = Extract<TssReply, { readonly kind: Kind }>;

interface Job {
  /** Undefined for requests. */
  readonly order: ExtendOrder | undefined;
  readonly request: Request | undefined;
  readonly resolve: (reply: TssReply) => void;
  readonly reject: (error: Error) => void;
}

export class TssThread {
  /** Of the digests of orders. */
  banks: readonly Bank[] = [];
  readonly #name: string;
  readonly #deadlineMs: number;
  readonly #shared = new Int32Array(new SharedArrayBuffer(SHARED_BYTES));
  readonly #channel = new MessageChannel();
  readonly #worker: Worker;
  readonly #waiting: Job[] = [];
  /** In the hands of the thread, in order, and how many jobs of each message are left. */
  #sent: Job[] = [];
  #batches: number[] = [];
  /** Jobs that the thread finished and that are settled: follows its count. */
  #settled = 0;
  #lastProgress = 0;
  #watch: NodeJS.Timeout | undefined;
  /** Why nothing is given to the thread: it hangs, died or was closed. */
  #outOfReach: string | undefined;
  #isDead = false;

  constructor({ name, tcti, kind }: Tcti, deadlineMs: number) {
    this.#name = name;
    this.#deadlineMs = deadlineMs;
    const { port1, port2 } = this.#channel;
    const data: TssWorkerData = { tcti, tctiKind: kind, shared: this.#shared.buffer, port: port2 };
    this.#worker = new Worker(new URL('./tss-worker.js', import.meta.url), {
      workerData: data,
      transferList: [port2],
      resourceLimits: WORKER_LIMITS,
    });
    port1.on('message', (reply: TssReply) => this.#replied(reply));
    this.#worker.on('error', (error) => this.#died(error.message));
    this.#worker.on('exit', () => this.#died('its thread ended'));
  }

  /** It died of a bug or for want of memory; the next one is another TssThread. */
  get isDead(): boolean {
    return this.#isDead;
  }

  extend(order: ExtendOrder): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#add({ order, request: undefined, resolve: () => resolve(), reject });
    });
  }

  async ask<Kind extends TssReply['kind']>(request: Request, kind: Kind): Promise<ReplyOf<Kind>> {
    const reply = await new Promise<TssReply>((resolve, reject) => {
      this.#add({ order: undefined, request, resolve, reject });
    });
    if (reply.kind !== kind) throw new Error(`${reply.kind} answers ${request.kind}`);
    return reply as ReplyOf<Kind>;
  }

  /** After all that was given, or as soon as the TPM is found to hang. */
  async close(): Promise<void> {
    if (this.#outOfReach === undefined) {
      await this.ask({ kind: 'disconnect' }, 'disconnected').catch(() => undefined);
    }
    const hangs = this.#outOfReach !== undefined && !this.#isDead;
    this.#outOfReach = 'it is closed';
    this.#isDead = true;
    this.#channel.port1.close();
    const ended = this.#worker.terminate();
    if (!hangs) {
      await ended;
      return;
    }
    // A thread inside tpm2-tss ends when the TPM answers, which nobody can wait for. Node would: it
    // joins its threads before it exits, after all else is done.
    this.#worker.unref();
    process.once('exit', () => process.kill(process.pid, 'SIGKILL'));
  }

  #add(job: Job): void {
    if (this.#outOfReach !== undefined) {
      this.#fail(job, this.#outOfReach);
      return;
    }
    this.#waiting.push(job);
    this.#pump();
  }

  #pump(): void {
    while (this.#batches.length < BATCHES_UNDER_WAY && this.#waiting.length > 0) {
      if (this.#sent.length === 0) this.#startWatch();
      const batch = this.#nextBatch();
      this.#sent.push(...batch);
      this.#batches.push(batch.length);
    }
  }

  #nextBatch(): readonly Job[] {
    const request = this.#waiting[0]?.request;
    if (request !== undefined) {
      this.#channel.port1.postMessage(request satisfies TssRequest);
      return this.#waiting.splice(0, 1);
    }
    const end = this.#waiting.slice(0, BATCH_ORDERS).findIndex((job) => job.order === undefined);
    const jobs = this.#waiting.splice(0, end < 0 ? BATCH_ORDERS : end);
    const orders = packOrders(
      jobs.flatMap(({ order }) => order ?? []),
      this.banks,
    );
    this.#channel.port1.postMessage({ kind: 'extend', orders } satisfies TssRequest, [
      orders.buffer,
    ]);
    return jobs;
  }

  #replied(reply: TssReply): void {
    if (this.#outOfReach !== undefined && reply.kind !== 'returned') return;
    this.#lastProgress = performance.now();
    switch (reply.kind) {
      case 'extended':
        this.#settle(reply.count, (job) => job.resolve(reply));
        break;
      case 'journal-failed':
        this.#settle(1, (job) => job.reject(new JournalFailed(reply.code)));
        break;
      case 'tpm-failed':
        this.#settle(1, (job) => job.reject(this.#tpmFailed(reply.message, reply.rc)));
        break;
      case 'returned':
        if (!this.#isDead) this.#outOfReach = undefined;
        break;
      default:
        this.#settle(1, (job) => job.resolve(reply));
    }
    this.#pump();
    if (this.#sent.length === 0) this.#stopWatch();
  }

  #settle(count: number, settle: (job: Job) => void): void {
    this.#settled = (this.#settled + count) | 0;
    const settled = this.#sent.splice(0, count);
    for (let left = settled.length; left > 0; ) {
      const [first = left] = this.#batches;
      if (first <= left) this.#batches.shift();
      else this.#batches[0] = first - left;
      left -= Math.min(first, left);
    }
    settled.forEach(settle);
  }

  #startWatch(): void {
    this.#lastProgress = performance.now();
    this.#watch ??= setInterval(() => this.#check(), this.#deadlineMs / CHECKS_PER_DEADLINE);
  }

  #stopWatch(): void {
    clearInterval(this.#watch);
    this.#watch = undefined;
  }

  #check(): void {
    this.#drain();
    if (this.#sent.length === 0) return;
    if (performance.now() - this.#lastProgress < this.#deadlineMs) return;
    const state = Atomics.compareExchange(this.#shared, STATE, IN_TPM, GIVEN_UP);
    // Else it waits for a disk, which every writer waits for, or for a CPU.
    if (state === IN_TPM) this.#giveUp('it does not answer', state);
  }

  /** Takes the replies that were said and not heard yet. */
  #drain(): void {
    for (;;) {
      const received = receiveMessageOnPort(this.#channel.port1);
      if (received === undefined) return;
      this.#replied(received.message as TssReply);
    }
  }

  #died(why: string): void {
    if (this.#isDead) return;
    this.#isDead = true;
    this.#giveUp(why, Atomics.load(this.#shared, STATE));
  }

  /** `state`: what the thread was doing, and will not go on doing. */
  #giveUp(why: string, state: number): void {
    this.#drain();
    // From here on only its return is listened to.
    this.#outOfReach = why;
    // Failures are said before they are counted: what is counted and was not said has succeeded.
    const unsaid = (Atomics.load(this.#shared, FINISHED) - this.#settled) | 0;
    this.#settle(unsaid, (job) => job.resolve({ kind: 'extended', count: 1 }));
    const left = [...this.#sent, ...this.#waiting];
    const current = state === IDLE ? undefined : left.shift();
    this.#sent = [];
    this.#batches = [];
    this.#waiting.length = 0;
    this.#stopWatch();
    // Where the thread died while it wrote the journal nobody knows what is there.
    if (state === JOURNALLING) current?.reject(new JournalFailed('EIO'));
    else current?.reject(this.#tpmFailed(why, 0));
    for (const job of left) this.#fail(job, why);
  }

  #fail({ order, reject }: Job, why: string): void {
    try {
      if (order !== undefined) appendToJournal(order.journal.fd, order.journal.bytes);
      reject(this.#tpmFailed(why, 0));
    } catch (error) {
      reject(error as Error);
    }
  }

  #tpmFailed(why: string, rc: number): TpmFailed {
    return new TpmFailed(`TPM ${this.#name}: ${why}`, rc);
  }
}
