import { closeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { bankAlgorithms } from '../ima/digest/bank-hash.js';
import { decodeBinaryList } from '../ima/list/decode-binary.js';
import { listDigest } from '../ima/list/entry.js';
import { type ShownEntry, shownLine } from '../ima/list/shown-entry.js';
import type { HashAlgorithm } from '../ima/ports.js';
import type { Invocation } from './command.js';
import { connect, demandAnswers } from './connect.js';
import type { ControlClient } from './control-client.js';
import { entryJson, fieldsJson } from './entry-json.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { isListFile, readListFile } from './list-files.js';
import { readMountTable } from './mount-table.js';
import type { Output } from './output.js';
import { UserError } from './user-error.js';

/** As of the list without a suffix, in the kernel's tree and in ours. */
const DEFAULT_BANK: HashAlgorithm = 'sha1';

const POLL_MS = 200;
const CHUNK_BYTES = 1024 * 1024;

/** `imafs log show`: the measurement list of a namespace, or one in a file. */
export async function logShow({ operands, options, output }: Invocation): Promise<ExitCode> {
  const [path = ''] = operands;
  await demandAnswers(path, options.text('control'));
  const isFile = isListFile(path);
  const bank = demandBank(options.text('bank'));
  const namespace = options.text('ns');
  const follow = options.flag('follow');
  if (isFile) {
    if (follow || namespace !== undefined) {
      const message = '--follow and --ns are for the list of a mount';
      throw new UserError(EXIT.usage, 'bad-option', message, ['give its mountpoint instead']);
    }
    showFile(path, bank, output);
    return EXIT.ok;
  }
  const client = await connect(path, options.text('control'));
  const list = listReader(output, bank ?? DEFAULT_BANK);
  const name = `${namespace === undefined ? '' : `${namespace}/`}${list.file}`;
  await readList(client, name, follow, list.take, output);
  if (list.rest() > 0 && !follow) {
    const message = `${name}: ${list.rest()} bytes at its end are no entry`;
    throw new UserError(EXIT.problems, 'bad-list', message);
  }
  return EXIT.ok;
}

function demandBank(bank: string | undefined): HashAlgorithm | undefined {
  if (bank === undefined || bankAlgorithms.includes(bank)) return bank;
  throw new UserError(EXIT.usage, 'bad-option', `there is no list of bank '${bank}'`, [
    `one of: ${bankAlgorithms.join(', ')}`,
  ]);
}

/** With another bank than the file's, hashes are those that this bank's list would show. */
function showFile(path: string, wanted: HashAlgorithm | undefined, output: Output): void {
  const show = (entries: readonly ShownEntry[], own: HashAlgorithm): void => {
    const bank = wanted ?? own;
    const hashOf = (entry: ShownEntry): Uint8Array =>
      bank === own ? entry.digest : listDigest(bank, entry);
    for (const entry of entries) showEntry(output, entry, bank, hashOf(entry));
  };
  const { list } = readListFile(path, ({ decoded, bank }) => {
    show(decoded, bank);
  });
  show(list.entries, list.bank);
}

function showEntry(
  output: Output,
  entry: ShownEntry,
  bank: HashAlgorithm,
  hash = entry.digest,
): void {
  if (output.json) {
    const fields = fieldsJson(entry);
    output.result('entry', { ...entryJson(entry, hash), bank, fields }, undefined);
  } else {
    output.bytes(Buffer.from(`${shownLine(entry, hash)}\n`, 'latin1'));
  }
}

interface ListReader {
  /** The file of the control tree to read. */
  readonly file: string;
  readonly take: (bytes: Buffer) => void;
  /** How many bytes are left that do not make an entry yet. */
  readonly rest: () => number;
}

/** Text is the ascii list as it is; JSON is made from the binary one, which says it all. */
function listReader(output: Output, bank: HashAlgorithm): ListReader {
  if (!output.json) {
    const take = (bytes: Buffer): void => {
      output.bytes(bytes);
    };
    return { file: `ascii_runtime_measurements_${bank}`, take, rest: () => 0 };
  }
  let rest: Uint8Array = Buffer.alloc(0);
  const take = (bytes: Buffer): void => {
    rest = Buffer.concat([rest, bytes]);
    const decoded = decodeBinaryList(rest, bank);
    const entries = decoded.ok ? decoded.value : decoded.problem.decoded;
    for (const entry of entries) showEntry(output, entry, bank);
    rest = rest.subarray(decoded.ok ? rest.length : decoded.problem.offset);
  };
  return { file: `binary_runtime_measurements_${bank}`, take, rest: () => rest.length };
}

/**
 * Reads a list of a mount to its end. To follow it, the descriptor stays open and is read on where it
 * stopped, until somebody interrupts, unmounts or stops reading what is shown.
 */
async function readList(
  client: ControlClient,
  name: string,
  follow: boolean,
  take: (bytes: Buffer) => void,
  output: Output,
): Promise<void> {
  const fd = client.open(name);
  const interruption = new AbortController();
  const interrupt = (): void => {
    interruption.abort();
  };
  if (follow) process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  try {
    for (let offset = 0; ; ) {
      const bytes = client.readOn(name, fd, offset, CHUNK_BYTES);
      offset += bytes.length;
      if (bytes.length > 0) take(bytes);
      else if (!follow || interruption.signal.aborted) return;
      else if (output.isUnread || !isMounted(client)) return;
      else await sleep(POLL_MS, undefined, { signal: interruption.signal }).catch(() => undefined);
    }
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    closeSync(fd);
  }
}

function isMounted({ mount }: ControlClient): boolean {
  return readMountTable().some(
    ({ device, type }) => device === mount.device && type === mount.type,
  );
}
