/**
 * The thread of one TPM: takes requests in order, writes each order's entry to its journal, and
 * extends. Calls into tpm2-tss block this thread and cannot be interrupted; when tss.ts has given one up
 * (GIVEN_UP), nothing more is touched, because tss.ts has journalled the orders that followed.
 */
import { receiveMessageOnPort, workerData } from 'node:worker_threads';
import { TssError } from './esys.js';
import { appendToJournal } from './journal-append.js';
import { JournalFailed } from './tpm.js';
import { ConnectionLost, TssConnection } from './tss-connection.js';
import {
  FINISHED,
  IDLE,
  IN_TPM,
  JOURNALLING,
  type PackedOrder,
  STATE,
  type TssReply,
  type TssRequest,
  type TssWorkerData,
  unpackOrder,
} from './tss-messages.js';

/** How long a done order may wait to be reported together with those after it. */
const REPORT_MS = 1;

const data = workerData as TssWorkerData;
const { port } = data;
const shared = new Int32Array(data.shared);

let connection: TssConnection | undefined;
let whyLost: { readonly message: string; readonly rc: number } = {
  message: 'it is not connected',
  rc: 0,
};
let unreported = 0;
let lastReport = 0;

/** tss.ts waits no longer for what this thread was doing. */
class GivenUp extends Error {}

const say = (reply: TssReply) => port.postMessage(reply);

const report = (): void => {
  if (unreported > 0) say({ kind: 'extended', count: unreported });
  unreported = 0;
  lastReport = performance.now();
};

const answer = (reply: TssReply): void => {
  report();
  say(reply);
};

const enter = (from: number, to: number): void => {
  if (Atomics.compareExchange(shared, STATE, from, to) !== from) throw new GivenUp();
};

const finish = (): void => {
  Atomics.add(shared, FINISHED, 1);
};

/** Runs `use` where the time it takes counts against the TPM. */
const inTpm = <Answer>(from: number, use: () => Answer): Answer => {
  enter(from, IN_TPM);
  try {
    return use();
  } finally {
    enter(IN_TPM, IDLE);
  }
};

/** Whether orders may be extended: not from a failure on until `resume`. */
let mayExtend = false;

const lose = (error: Error, rc: number): void => {
  mayExtend = false;
  connection?.close();
  connection = undefined;
  whyLost = { message: error.message, rc };
};

const answerFailure = (error: unknown): void => {
  if (error instanceof GivenUp) throw error;
  if (error instanceof JournalFailed) {
    answer({ kind: 'journal-failed', code: error.code });
    return;
  }
  if (error instanceof ConnectionLost) lose(error, error.rc);
  const { message } = error as Error;
  const hasRc =
    error instanceof TssError || error instanceof ConnectionLost || error instanceof NotResumed;
  const rc = hasRc ? error.rc : 0;
  answer({ kind: 'tpm-failed', message, rc });
};

const connected = (): TssConnection => {
  if (connection === undefined) throw new ConnectionLost(whyLost.message, whyLost.rc);
  return connection;
};

/** The TPM may be reached again; what it lacks has to come first. */
class NotResumed extends Error {
  constructor(
    message: string,
    readonly rc: number,
  ) {
    super(message);
  }
}

const taken = (): TssConnection => {
  if (!mayExtend) throw new NotResumed(whyLost.message, whyLost.rc);
  return connected();
};

const extend = (block: Uint8Array, order: PackedOrder): void => {
  enter(IDLE, JOURNALLING);
  try {
    appendToJournal(order.fd, block, order.journalOffset, order.end);
  } catch (error) {
    enter(JOURNALLING, IDLE);
    throw error;
  }
  const digests = block.subarray(order.digestsOffset, order.journalOffset);
  try {
    inTpm(JOURNALLING, () => taken().extend(order.pcr, digests));
  } catch (error) {
    // What the TPM refused is in the journal: nothing may follow it into a PCR.
    if (error instanceof TssError || error instanceof RangeError) {
      throw new ConnectionLost(error.message, error instanceof TssError ? error.rc : 0);
    }
    throw error;
  }
};

const extendAll = (block: Uint8Array): void => {
  const view = new DataView(block.buffer);
  for (let offset = 0; offset < block.length; ) {
    const order = unpackOrder(view, offset);
    offset = order.end;
    try {
      extend(block, order);
      unreported += 1;
    } catch (error) {
      answerFailure(error);
    }
    finish();
    if (performance.now() - lastReport > REPORT_MS) report();
  }
  report();
};

const open = (wanted: readonly string[]): TssReply => {
  lose(new Error('it is not connected'), 0);
  const opened = new TssConnection(data);
  const algorithms = opened.banks.map(({ algorithm }) => algorithm);
  if (wanted.length > 0 && algorithms.join() !== wanted.join()) {
    opened.close();
    throw new Error(`it has the banks ${algorithms.join()} now, and had ${wanted.join()}`);
  }
  connection = opened;
  return { kind: 'opened', algorithms };
};

const disconnect = (): TssReply => {
  lose(new Error('it is disconnected'), 0);
  return { kind: 'disconnected' };
};

const perform = (request: Exclude<TssRequest, { kind: 'extend' }>): TssReply => {
  switch (request.kind) {
    case 'open':
      return open(request.algorithms);
    case 'read':
      return { kind: 'values', values: connected().read(request.pcr) };
    case 'reset-count':
      return { kind: 'reset-count', count: connected().resetCount() };
    case 'resume':
      connected();
      mayExtend = true;
      return { kind: 'resumed' };
    case 'disconnect':
      return disconnect();
  }
};

const handle = (request: TssRequest): void => {
  if (request.kind === 'extend') {
    extendAll(request.orders);
    return;
  }
  try {
    answer(inTpm(IDLE, () => perform(request)));
  } catch (error) {
    answerFailure(error);
  }
  finish();
};

/** Whatever was asked before tss.ts gave up is settled there. */
const comeBack = (): void => {
  while (receiveMessageOnPort(port) !== undefined);
  unreported = 0;
  lose(new Error('it did not answer in time'), 0);
  Atomics.store(shared, STATE, IDLE);
  say({ kind: 'returned' });
};

port.on('message', (request: TssRequest) => {
  try {
    handle(request);
  } catch (error) {
    if (!(error instanceof GivenUp)) throw error;
    comeBack();
  }
});
