/** Somebody opened the file for writing while we held a lease on it; nothing of ours is left on it. */
export class LeaseBroken extends Error {
  constructor() {
    super('the lease was broken');
  }
}
