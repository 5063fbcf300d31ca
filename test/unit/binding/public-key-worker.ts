/** A worker thread that verifies what it is given with an addon of its own. */
import { parentPort, workerData } from 'node:worker_threads';
import { loadAddon } from '../../../src/binding/addon.js';

export interface Task {
  readonly spki: Uint8Array;
  readonly digest: Uint8Array;
  readonly signatures: readonly Uint8Array[];
}

const { spki, digest, signatures } = workerData as Task;
const key = loadAddon().publicKey(spki);
parentPort?.postMessage(signatures.map((signature) => key.verify('sha256', digest, signature)));
