/**
 * Hashes files off the JS thread: a few workers, namespaces in turn, and one job for all who want the
 * same digest of the same version. Every promise here rejects on error, so that its caller refuses.
 */
import { open } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { LeaseBroken } from '../base/lease-broken.js';
import { FairQueue } from './fair-queue.js';
import type { WorkerReply, WorkerRequest } from './hash-messages.js';

/** Of the reading thread: it holds one chunk outside the heap and hardly anything in it. */
const WORKER_LIMITS = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 };

export interface HashOrder {
  /** 64-bit id of the caller's namespace: whose turn it is. */
  readonly namespace: bigint;
  readonly node: number;
  readonly version: number;
  /** Kernel name, or `verity:` and one: fs-verity's digest. */
  readonly algorithm: string;
  /** Of the file's beginning; absent: all of it. */
  readonly sizeBytes?: number;
  /** Readable until the promise is settled. */
  readonly fd: number;
  /**
   * The version can be relied on (not fresh): others who want it share this job. A job of a fresh
   * version may have read what was there before a change that left the version equal.
   */
  readonly shared: boolean;
  /** fd holds a lease: LeaseBroken as soon as it does not stand any more. */
  readonly leased: boolean;
}

export interface XattrOrder {
  readonly namespace: bigint;
  readonly fd: number;
  readonly name: string;
  readonly value: Uint8Array;
  readonly leased: boolean;
}

interface Job {
  readonly namespace: bigint;
  readonly request: WorkerRequest;
  readonly resolve: (digest: Uint8Array) => void;
  readonly reject: (error: Error) => void;
}

/** One worker thread and what waits for it; a job stays with the thread that began it. */
class Station {
  readonly #queue = new FairQueue<Job>();
  #current: Job | undefined;
  /** Started at once, so that the first file does not wait for it; undefined after its death. */
  #worker: Worker | undefined = this.#start();
  #closed = false;

  get load(): number {
    return this.#queue.length + (this.#current === undefined ? 0 : 1);
  }

  add(job: Job): void {
    if (this.#closed) {
      job.reject(new Error('the hash pool is closed'));
      return;
    }
    this.#queue.add(job.namespace, job);
    if (this.#current === undefined) this.#next();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#worker?.terminate();
    this.#fail(new Error('the hash pool is closed'));
  }

  #next(): void {
    this.#current = this.#queue.take();
    if (this.#current === undefined) return;
    this.#worker ??= this.#start();
    this.#worker.postMessage(this.#current.request);
  }

  #start(): Worker {
    const worker = new Worker(new URL('./hash-worker.js', import.meta.url), {
      resourceLimits: WORKER_LIMITS,
    });
    worker.on('message', (reply: WorkerReply) => this.#replied(reply));
    worker.on('error', (error) => this.#lost(error));
    return worker;
  }

  #replied(reply: WorkerReply): void {
    const job = this.#current;
    if (job === undefined || job.request.id !== reply.id) return;
    switch (reply.state) {
      case 'more':
        this.#queue.add(job.namespace, job);
        break;
      case 'done':
        job.resolve(reply.digest);
        break;
      case 'lease-broken':
        job.reject(new LeaseBroken());
        break;
      case 'failed':
        job.reject(Object.assign(new Error(reply.message), { code: reply.code }));
        break;
    }
    this.#next();
  }

  /** The thread died of a bug or for want of memory: its jobs fail, the next one starts another. */
  #lost(error: Error): void {
    this.#worker = undefined;
    this.#fail(error);
  }

  #fail(error: Error): void {
    this.#current?.reject(error);
    this.#current = undefined;
    for (let job = this.#queue.take(); job !== undefined; job = this.#queue.take()) {
      job.reject(error);
    }
  }
}

export class HashPool {
  readonly #stations: readonly Station[];
  readonly #shared = new Map<string, Promise<Uint8Array>>();
  #lastId = 0;

  constructor(threads = 2) {
    this.#stations = Array.from({ length: threads }, () => new Station());
  }

  /** Resolves when every thread has loaded its code and hashed nothing; rejects if one cannot. */
  async ready(): Promise<void> {
    const nothing = await open('/dev/null');
    try {
      const request = { kind: 'hash', fd: nothing.fd, algorithm: 'sha256' } as const;
      await Promise.all(
        this.#stations.map(
          (station) =>
            new Promise((resolve, reject) => {
              station.add({
                namespace: 0n,
                request: { ...request, id: this.#newId(), sizeBytes: undefined, leased: false },
                resolve,
                reject,
              });
            }),
        ),
      );
    } finally {
      await nothing.close();
    }
  }

  /** Jobs waiting or under way. */
  get load(): number {
    return this.#stations.reduce((sum, station) => sum + station.load, 0);
  }

  /** Digest of the whole file. Rejects with LeaseBroken, or an Error with `code` of read(2). */
  digest(order: HashOrder): Promise<Uint8Array> {
    if (!order.shared) return this.#hash(order);
    const key = `${order.node} ${order.version} ${order.algorithm} ${order.sizeBytes}`;
    const known = this.#shared.get(key);
    if (known !== undefined) return known;
    const digest = this.#hash(order).finally(() => this.#shared.delete(key));
    this.#shared.set(key, digest);
    return digest;
  }

  /** fsetxattr(2). Rejects with LeaseBroken (the previous value is back) or an Error with `code`. */
  async writeXattr({ namespace, fd, name, value, leased }: XattrOrder): Promise<void> {
    await this.#perform(namespace, { kind: 'xattr', id: this.#newId(), fd, name, value, leased });
  }

  async close(): Promise<void> {
    await Promise.all(this.#stations.map((station) => station.close()));
  }

  #hash({ namespace, fd, algorithm, sizeBytes, leased }: HashOrder): Promise<Uint8Array> {
    const request = { kind: 'hash', id: this.#newId(), fd, algorithm, sizeBytes, leased } as const;
    return this.#perform(namespace, request);
  }

  #perform(namespace: bigint, request: WorkerRequest): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const freest = this.#stations.reduce((a, b) => (b.load < a.load ? b : a));
      freest.add({ namespace, request, resolve, reject });
    });
  }

  #newId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }
}
