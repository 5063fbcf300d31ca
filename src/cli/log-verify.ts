import { bankAlgorithms } from '../ima/digest/bank-hash.js';
import type { HashAlgorithm } from '../ima/ports.js';
import type { Invocation } from './command.js';
import { comparePcrs, type MeasuredList, type PcrFinding } from './compare-pcrs.js';
import { connect, demandAnswers } from './connect.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { isListFile, readBytes, readListFile } from './list-files.js';
import { demandVerified, type ListReport, listReport, showReport } from './list-report.js';
import { parsePcrValues } from './pcr-values.js';
import { UserError } from './user-error.js';
import { verifyNamespace } from './verify-namespace.js';

/** Banks whose PCRs are shown besides that of the list where none are given. */
const COMMON_BANKS: readonly HashAlgorithm[] = ['sha1', 'sha256'];

/** `imafs log verify`: replays a list against the PCRs that it was extended into. */
export async function logVerify({ operands, options, output }: Invocation): Promise<ExitCode> {
  const [path = ''] = operands;
  const namespace = options.text('ns');
  const files = options.texts('pcrs');
  await demandAnswers(path, options.text('control'));
  const isFile = isListFile(path);
  if (isFile ? namespace !== undefined : files.length > 0) {
    const message = '--ns is for the list of a mount, --pcrs for one in a file';
    throw new UserError(EXIT.usage, 'bad-option', message);
  }
  const report = isFile
    ? verifyFile(path, files)
    : (
        await verifyNamespace(
          await connect(path, options.text('control')),
          namespace === undefined ? '' : `${namespace}/`,
        )
      ).report;
  showReport(output, report);
  demandVerified(report);
  return EXIT.ok;
}

function verifyFile(path: string, pcrFiles: readonly string[]): ListReport {
  const given = pcrFiles.map(splitPcrFile);
  const { list } = readListFile(path);
  const findings =
    given.length > 0
      ? given.flatMap(([bank, file]) => compareWithFile(list, bank, file))
      : [...new Set([list.bank, ...COMMON_BANKS])].flatMap((bank) =>
          comparePcrs(list, bank, undefined),
        );
  return listReport([list], findings);
}

/** `sha256,FILE`, as evmctl takes it. */
function splitPcrFile(value: string): [bank: HashAlgorithm, file: string] {
  const comma = value.indexOf(',');
  const bank = value.slice(0, Math.max(0, comma));
  if (bankAlgorithms.includes(bank) && comma + 1 < value.length) {
    return [bank, value.slice(comma + 1)];
  }
  throw new UserError(EXIT.usage, 'bad-option', `--pcrs ${value} is not BANK,FILE`, [
    `BANK is one of: ${bankAlgorithms.join(', ')}`,
  ]);
}

function compareWithFile(list: MeasuredList, bank: HashAlgorithm, file: string): PcrFinding[] {
  const values = parsePcrValues(readBytes(file).toString('latin1'), bank);
  if (values.ok) return comparePcrs(list, bank, values.value);
  throw new UserError(EXIT.usage, 'bad-pcrs', `${file}: ${values.problem}`, [
    "lines such as 'PCR-10: HEX', or what tpm2_pcrread prints",
  ]);
}
