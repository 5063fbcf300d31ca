/** A queue in which namespaces take turns: however much one puts in, another waits for one item of it. */
export class FairQueue<Item> {
  /** In the order of their turns; no list is empty. */
  readonly #waiting = new Map<bigint, Item[]>();
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(namespace: bigint, item: Item): void {
    const own = this.#waiting.get(namespace);
    if (own === undefined) this.#waiting.set(namespace, [item]);
    else own.push(item);
    this.#length += 1;
  }

  /** The first item of the namespace whose turn it is, which then goes to the end of the row. */
  take(): Item | undefined {
    for (const [namespace, own] of this.#waiting) {
      const item = own.shift();
      this.#waiting.delete(namespace);
      if (own.length > 0) this.#waiting.set(namespace, own);
      this.#length -= 1;
      return item;
    }
    return undefined;
  }
}
