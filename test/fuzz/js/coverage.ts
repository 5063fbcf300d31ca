/** Which places inputs reached, and about how often: what an input has to add to, to be worth keeping. */
import { hits } from './hits.js';

export class Coverage {
  /** For each place a bit for each class of counts. */
  readonly #seen = new Uint8Array(hits.length);
  #features = 0;
  #reached = 0;

  /** Places is how many there are; nothing is counted where the code is not instrumented. */
  constructor(private readonly places: number) {}

  get features(): number {
    return this.#features;
  }

  /** Places that were reached at all. */
  get reached(): number {
    return this.#reached;
  }

  /** What `run` reached that nothing had before: how much, and with that it is known. */
  newOf(run: () => void): number {
    hits.fill(0, 0, this.places);
    run();
    let found = 0;
    for (let place = 0; place < this.places; place += 1) {
      const count = hits[place] ?? 0;
      if (count === 0) continue;
      const bit = bitOf(count);
      const before = this.#seen[place] ?? 0;
      if ((before & bit) === 0) {
        this.#seen[place] = before | bit;
        if (before === 0) this.#reached += 1;
        found += 1;
      }
    }
    this.#features += found;
    return found;
  }
}

/** Once, twice, thrice, and then by doubling: a loop's length counts, its exact number of turns does not. */
function bitOf(count: number): number {
  if (count <= 3) return 1 << (count - 1);
  if (count < 8) return 8;
  if (count < 16) return 16;
  if (count < 32) return 32;
  return count < 128 ? 64 : 128;
}
