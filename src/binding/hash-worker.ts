/**
 * A worker thread that reads and hashes files by descriptor, slice by slice so that a long file lets
 * others pass, and writes security.ima. Under a lease it looks after each chunk whether the lease
 * still stands: from the moment it does not, nobody knows what the file holds.
 */
import { readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { isSignature } from '../ima/xattr/decode-xattr.js';
import { loadAddon } from './addon.js';
import type { Addon } from './addon-types.js';
import { createHasher, type Hasher } from './hash-algorithms.js';
import type { WorkerReply, WorkerRequest } from './hash-messages.js';

const CHUNK_BYTES = 1024 * 1024;
/** About 8 ms of SHA-256: how long another namespace's small file may wait. */
const SLICE_CHUNKS = 8;

interface HashUnderWay {
  readonly hasher: Hasher;
  offset: number;
}

const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
const underWay = new Map<number, HashUnderWay>();
let addon: Addon | undefined;

const leaseStands = (fd: number): boolean => {
  addon ??= loadAddon();
  return addon.leaseStands(fd);
};

const begin = (algorithm: string): HashUnderWay => {
  const hasher = createHasher(algorithm);
  if (hasher === undefined) throw new Error(`no implementation of hash algorithm ${algorithm}`);
  return { hasher, offset: 0 };
};

const hashSlice = (request: WorkerRequest & { kind: 'hash' }): WorkerReply => {
  const { id, fd, leased, sizeBytes = Number.MAX_SAFE_INTEGER } = request;
  const state = underWay.get(id) ?? begin(request.algorithm);
  underWay.delete(id);
  for (let chunks = 0; chunks < SLICE_CHUNKS; chunks += 1) {
    const wanted = Math.min(CHUNK_BYTES, sizeBytes - state.offset);
    const read = readSync(fd, chunk, 0, wanted, state.offset);
    if (leased && !leaseStands(fd)) return { id, state: 'lease-broken' };
    if (read === 0) return { id, state: 'done', digest: state.hasher.digest() };
    state.hasher.update(chunk.subarray(0, read));
    state.offset += read;
  }
  underWay.set(id, state);
  return { id, state: 'more' };
};

const writeXattr = (request: WorkerRequest & { kind: 'xattr' }): WorkerReply => {
  const { id, fd, name, value, leased } = request;
  addon ??= loadAddon();
  if (leased && !addon.leaseStands(fd)) return { id, state: 'lease-broken' };
  const previous = addon.getXattr(fd, name);
  if (isSignature(previous) && !isSignature(value)) {
    const message = 'a signature was set meanwhile';
    return { id, state: 'failed', message, code: 'EPERM' };
  }
  addon.setXattr(fd, name, value);
  if (leased && !addon.leaseStands(fd)) {
    // The writer that broke the lease waits for us: what it will write is not what we vouched for.
    addon.setXattr(fd, name, previous);
    return { id, state: 'lease-broken' };
  }
  return { id, state: 'done', digest: new Uint8Array() };
};

const perform = (request: WorkerRequest): WorkerReply => {
  try {
    return request.kind === 'hash' ? hashSlice(request) : writeXattr(request);
  } catch (error) {
    underWay.delete(request.id);
    const { message, code } = error as NodeJS.ErrnoException;
    return { id: request.id, state: 'failed', message, code };
  }
};

parentPort?.on('message', (request: WorkerRequest) => {
  parentPort?.postMessage(perform(request));
});
