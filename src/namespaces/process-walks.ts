/** Walks of /proc, shared: whoever asks gets one that began after the asking, and never two run at once. */
import type { ProcessFacts } from '../binding/addon-types.js';
import type { NamespaceIds } from './namespace-ids.js';

export class ProcessWalks {
  #running: Promise<readonly ProcessFacts[]> | undefined;
  #next: Promise<readonly ProcessFacts[]> | undefined;

  constructor(private readonly ids: Pick<NamespaceIds, 'walkProcesses'>) {}

  walk(): Promise<readonly ProcessFacts[]> {
    if (this.#running === undefined) return this.#start();
    this.#next ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        return this.#start();
      });
    return this.#next;
  }

  #start(): Promise<readonly ProcessFacts[]> {
    const running = this.ids.walkProcesses().finally(() => {
      if (this.#running === running) this.#running = undefined;
    });
    this.#running = running;
    return running;
  }
}
