/** From the choice of tpm= to a TPM. */
import { existsSync } from 'node:fs';
import type { Log } from '../base/log.js';
import { type Result, success } from '../base/result.js';
import { SoftwarePcrs } from './software-pcr.js';
import { startSwtpm } from './swtpm.js';
import { parseTcti, type Tcti } from './tcti.js';
import { type Tpm, TpmFailed } from './tpm.js';
import { openTss } from './tss.js';

const AUTO_DEVICE = '/dev/tpmrm0';
/** CONFIG_IMA_MEASURE_PCR_IDX, which no distribution sets otherwise. */
const KERNEL_IMA_PCR = 10;

/** `auto` is settled: a device or nothing. */
export type SettledTpmChoice = 'none' | 'swtpm' | Tcti;
export type TpmChoice = 'auto' | SettledTpmChoice;

export interface TpmSurroundings {
  /** The PCR of the list, which a device must not share with the kernel. */
  readonly pcr: number;
  /** Of a swtpm of our own, for its state alone. */
  readonly swtpmDirectory: string;
  readonly kernelImaIsActive: () => boolean;
  readonly log: Log;
}

/** none, auto, swtpm or a TPM string. */
export const parseTpmChoice = (text: string): Result<TpmChoice, string> => {
  switch (text) {
    case 'none':
    case 'auto':
    case 'swtpm':
      return success(text);
    default:
      return parseTcti(text);
  }
};

/** For `auto`: the device behind the kernel's resource manager if there is one. */
export const settleTpmChoice = (choice: TpmChoice): SettledTpmChoice => {
  if (choice !== 'auto') return choice;
  const device = parseTcti(`device:${AUTO_DEVICE}`);
  return device.ok && existsSync(AUTO_DEVICE) ? device.value : 'none';
};

/** Rejects with TpmFailed. */
export const openTpm = async (choice: TpmChoice, surroundings: TpmSurroundings): Promise<Tpm> => {
  const settled = settleTpmChoice(choice);
  switch (settled) {
    case 'none':
      return new SoftwarePcrs();
    case 'swtpm':
      return openOwnSwtpm(surroundings);
    default:
      refuseKernelsPcr(settled, surroundings);
      return openTss(settled);
  }
};

const refuseKernelsPcr = ({ kind, name }: Tcti, surroundings: TpmSurroundings): void => {
  if (kind !== 'device' || surroundings.pcr !== KERNEL_IMA_PCR) return;
  if (!surroundings.kernelImaIsActive()) return;
  throw new TpmFailed(
    `the kernel's IMA extends PCR ${KERNEL_IMA_PCR} of ${name}, and a PCR has one list: choose another PCR (such as pcr=11) or another TPM (tpm=)`,
    0,
  );
};

const openOwnSwtpm = async ({ swtpmDirectory, log }: TpmSurroundings): Promise<Tpm> => {
  const swtpm = await startSwtpm(swtpmDirectory, log);
  try {
    return endingWith(await openTss(swtpm.tcti), () => swtpm.stop());
  } catch (error) {
    await swtpm.stop();
    throw error;
  }
};

/** The same TPM; `end` follows its close. */
export const endingWith = (tpm: Tpm, end: () => Promise<void> | void): Tpm => ({
  name: tpm.name,
  pcrs: tpm.pcrs,
  get banks() {
    return tpm.banks;
  },
  extend: (order) => tpm.extend(order),
  read: (pcr) => tpm.read(pcr),
  resetCount: () => tpm.resetCount(),
  reconnect: () => tpm.reconnect(),
  resume: () => tpm.resume(),
  close: () => tpm.close().finally(end),
});
