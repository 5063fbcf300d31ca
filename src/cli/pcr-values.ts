import { failure, type Result, success } from '../base/result.js';
import { hashAlgorithmByName } from '../ima/digest/hash-algorithms.js';
import type { PcrValues } from '../ima/list/replay.js';
import type { HashAlgorithm } from '../ima/ports.js';

/** `PCR-10: hex`, `PCR 10: hex` and `10 : 0xHEX`; blanks between the bytes. */
const VALUE = /^\s*(?:PCR[- ]?)?(\d{1,2})\s*:\s*(?:0x)?([0-9a-f](?:[0-9a-f ]*[0-9a-f])?)\s*$/i;

/** `sha256:` or `sha256 :`, above the values of a bank. */
const BANK = /^\s*(\w+)\s*:\s*$/;

/**
 * Values of a bank's PCRs as evmctl, the kernel's `pcrs` file and our control tree (`PCR-10: hex`) or
 * tpm2_pcrread (values below the name of their bank) write them. The problem is a sentence.
 */
export function parsePcrValues(text: string, bank: HashAlgorithm): Result<PcrValues, string> {
  const digits = 2 * (hashAlgorithmByName(bank)?.digestBytes ?? 0);
  const values = new Map<number, Uint8Array>();
  let section: string | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    const named = BANK.exec(line)?.[1];
    if (named !== undefined) section = named.toLowerCase();
    if (line.trim() === '' || named !== undefined) continue;
    const [, pcr, value = ''] = VALUE.exec(line) ?? [];
    if (pcr === undefined) return failure(`line ${index + 1} is no value of a PCR`);
    if (section !== undefined && section !== bank) continue;
    const hex = value.replaceAll(' ', '');
    if (hex.length !== digits) {
      return failure(`line ${index + 1}: a PCR of ${bank} has ${digits} digits, not ${hex.length}`);
    }
    values.set(Number(pcr), Buffer.from(hex, 'hex'));
  }
  return success(values);
}
