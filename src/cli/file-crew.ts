import { Worker } from 'node:worker_threads';

import { CrewSignals } from './crew-signals.js';
import type { WalkedUnit } from './file-batches.js';
import type { BatchReport, CrewOrders, FileTask } from './file-task.js';

/** One is worked on, one waits, so that no worker does. */
const BATCHES_EACH = 2;
/** Reports that wait for an earlier one, that of a very large file say; then no more is begun. */
const MOST_UNTOLD = 4096;

/** A worker thread, and what releases the directories of the batches it has. */
interface Hand {
  readonly worker: Worker;
  readonly batches: Map<number, () => void>;
}

/** Worker threads that treat files, started as there is work for them. */
export class FileCrew {
  readonly signals = new CrewSignals();
  readonly #orders: CrewOrders;
  readonly #hands: Hand[] = [];
  /** Of units that were begun and not told yet, in order; undefined: under way. */
  readonly #reports = new Map<number, BatchReport | undefined>();

  constructor(
    tasks: readonly FileTask[],
    private readonly jobs: number,
    tellEach: boolean,
    private readonly tell: (report: BatchReport) => void,
  ) {
    this.#orders = { tasks, tellEach, shared: this.signals.shared };
  }

  /**
   * Resolves when all of `units` are done, or those begun when signals.stop() was called. Reports are
   * told in the order of the units. Rejects for a bug, or want of memory, in a worker.
   */
  async run(units: Generator<WalkedUnit>): Promise<void> {
    try {
      await new Promise<void>((resolve, reject) => {
        const fail = (why: Error): void => {
          reject(why);
        };
        const proceed = (): void => {
          try {
            this.#handOut(units, proceed, fail);
            this.#tellInOrder();
          } catch (error) {
            fail(error as Error);
          }
          if (this.#reports.size === 0) resolve();
        };
        proceed();
      });
    } finally {
      units.return(undefined);
      await Promise.all(this.#hands.map(({ worker }) => worker.terminate()));
    }
  }

  #handOut(units: Generator<WalkedUnit>, proceed: () => void, fail: (why: Error) => void): void {
    while (this.#hasRoom()) {
      const next = units.next();
      if (next.done === true) return;
      const unit = next.value;
      if (unit.kind === 'report') {
        this.#reports.set(unit.report.id, unit.report);
        continue;
      }
      const hand = this.#freest() ?? this.#hire(proceed, fail);
      this.#reports.set(unit.batch.id, undefined);
      hand.batches.set(unit.batch.id, unit.release);
      hand.worker.postMessage(unit.batch);
    }
  }

  #hasRoom(): boolean {
    if (this.signals.isStopped || this.#reports.size >= MOST_UNTOLD) return false;
    return (
      this.#hands.length < this.jobs ||
      this.#hands.some(({ batches }) => batches.size < BATCHES_EACH)
    );
  }

  /** Undefined where one more would be idle. */
  #freest(): Hand | undefined {
    const [first] = this.#hands.toSorted((left, right) => left.batches.size - right.batches.size);
    const isIdle = first?.batches.size === 0;
    return isIdle || this.#hands.length === this.jobs ? first : undefined;
  }

  #hire(proceed: () => void, fail: (why: Error) => void): Hand {
    const worker = new Worker(new URL('./file-worker.js', import.meta.url), {
      workerData: this.#orders,
    });
    const hand = { worker, batches: new Map<number, () => void>() };
    worker.on('message', (report: BatchReport) => {
      hand.batches.get(report.id)?.();
      hand.batches.delete(report.id);
      this.#reports.set(report.id, report);
      proceed();
    });
    worker.on('error', fail);
    this.#hands.push(hand);
    return hand;
  }

  #tellInOrder(): void {
    for (const [id, report] of this.#reports) {
      if (report === undefined) return;
      this.#reports.delete(id);
      this.tell(report);
    }
  }
}
