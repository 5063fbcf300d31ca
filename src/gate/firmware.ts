/** Which opens are the kernel's own, of firmware: only a kernel thread's can be told from a user's. */
import { readFileSync, realpathSync } from 'node:fs';
import { isBelow } from '../base/mountinfo.js';
import type { Caller } from '../binding/addon-types.js';

const FIRMWARE_DIRECTORY = '/lib/firmware';
const FIRMWARE_PARAMETER = '/sys/module/firmware_class/parameters/path';

export class Firmware {
  constructor(private readonly directories: readonly string[]) {}

  /** READING_FIRMWARE of kernel_read_file; `path` is as the system sees it. */
  isRead(path: string, { kernelThread }: Pick<Caller, 'kernelThread'>): boolean {
    return kernelThread && this.directories.some((directory) => isBelow(path, directory));
  }
}

/** fw_path (drivers/base/firmware_loader/main.c). To be read before mounting, which may cover it. */
export const firmwareOfMachine = (): Firmware =>
  new Firmware([resolved(FIRMWARE_DIRECTORY), ...parameter().map(resolved)]);

const resolved = (path: string): string => {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
};

const parameter = (): string[] => {
  try {
    const path = readFileSync(FIRMWARE_PARAMETER, 'utf8').trim();
    return path === '' ? [] : [path];
  } catch {
    // A kernel without a loader of firmware.
    return [];
  }
};
