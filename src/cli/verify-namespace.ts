import { setTimeout as sleep } from 'node:timers/promises';

import { failure, type Result, success } from '../base/result.js';
import { bankAlgorithms } from '../ima/digest/bank-hash.js';
import { decodeBinaryList } from '../ima/list/decode-binary.js';
import type { PcrValues } from '../ima/list/replay.js';
import type { ShownEntry } from '../ima/list/shown-entry.js';
import type { HashAlgorithm } from '../ima/ports.js';
import { comparePcrs, type PcrFinding } from './compare-pcrs.js';
import type { ControlClient } from './control-client.js';
import { EXIT } from './exit-codes.js';
import { type ListDifference, type ListReport, listReport } from './list-report.js';
import { parsePcrValues } from './pcr-values.js';
import { UserError } from './user-error.js';

/** The lists that are read. All banks' lists hold the same, so that other PCRs are replayed from one. */
const LIST_BANKS = ['sha1', 'sha256'] as const;

/** How often, and how far apart, a list is read whose PCR is behind: an extend may be on its way. */
const TRIES = 5;
const BETWEEN_MS = 200;
const MAY_PASS: readonly (ListDifference['kind'] | undefined)[] = ['behind', 'no-value', 'no-pcrs'];

export interface VerifiedNamespace {
  readonly report: ListReport;
  readonly lists: ReadonlyMap<HashAlgorithm, readonly ShownEntry[]>;
}

/**
 * Replays the list of a namespace against its PCRs. `directory` is `''` for the reader's own, or
 * `NSID/`. While it reads, the daemon may add entries.
 */
export async function verifyNamespace(
  client: ControlClient,
  directory: string,
): Promise<VerifiedNamespace> {
  for (let tries = 1; ; tries++) {
    const verified = verifyOnce(client, directory);
    if (tries === TRIES || !MAY_PASS.includes(verified.report.problem?.kind)) return verified;
    await sleep(BETWEEN_MS);
  }
}

/**
 * The PCRs are read between two readings of the list: then they have at least what the first shows,
 * and at most what the second shows.
 */
function verifyOnce(client: ControlClient, directory: string): VerifiedNamespace {
  const before = new Map(
    LIST_BANKS.map((bank) => [bank, readList(client, directory, bank).length] as const),
  );
  const read = readAllPcrs(client, directory);
  const pcrs = read.ok ? read.value : new Map<HashAlgorithm, PcrValues>();
  const lists = LIST_BANKS.map((bank) => ({ bank, entries: readList(client, directory, bank) }));
  const findings = [...pcrs].flatMap(([bank, values]): PcrFinding[] => {
    const list = lists.find((candidate) => candidate.bank === bank) ?? lists.at(-1);
    return list === undefined ? [] : comparePcrs(list, bank, values, before.get(list.bank));
  });
  const isBare = pcrs.size === 0 && [...before.values()].some((count) => count > 0);
  const none = isBare ? 'no bank of the TPM has PCRs for this list' : undefined;
  return {
    report: listReport(lists, findings, read.ok ? none : read.problem),
    lists: new Map(lists.map(({ bank, entries }) => [bank, entries])),
  };
}

function readList(
  client: ControlClient,
  directory: string,
  bank: HashAlgorithm,
): readonly ShownEntry[] {
  const name = `${directory}binary_runtime_measurements_${bank}`;
  const list = decodeBinaryList(client.readBytes(name), bank);
  if (list.ok) return list.value;
  const { number, offset, message } = list.problem;
  const where = `${name}: entry ${number} (at byte ${offset})`;
  throw new UserError(EXIT.problems, 'bad-list', `${where}: ${message}`);
}

/** A bank whose file is empty is not there, or nothing was extended. */
function readAllPcrs(
  client: ControlClient,
  directory: string,
): Result<ReadonlyMap<HashAlgorithm, PcrValues>, string> {
  const pcrs = new Map<HashAlgorithm, PcrValues>();
  for (const bank of bankAlgorithms) {
    const name = `${directory}pcrs_${bank}`;
    const text = readPcrFile(client, name);
    const values = text.ok ? parsePcrValues(text.value, bank) : text;
    if (!values.ok) return failure(`${name}: ${values.problem}`);
    if (values.value.size > 0) pcrs.set(bank, values.value);
  }
  return success(pcrs);
}

/** What the control tree has no better word for is the TPM's fault here. */
function readPcrFile(client: ControlClient, name: string): Result<string, string> {
  try {
    return success(client.read(name));
  } catch (error) {
    if (!(error instanceof UserError) || error.code !== 'control') throw error;
    return failure(error.message);
  }
}
