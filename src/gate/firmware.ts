/** Which opens are the kernel's own, of firmware: only a kernel thread's can be told from a user's. */
import { readFileSync, realpathSync } from 'node:fs';
import { isBelow } from '../base/mountinfo.js';

const FIRMWARE_DIRECTORY = '/lib/firmware';
const FIRMWARE_PARAMETER = '/sys/module/firmware_class/parameters/path';

/** include/linux/sched.h */
const PF_KTHREAD = 0x0020_0000;

export class Firmware {
  constructor(private readonly directories: readonly string[]) {}

  /** Whether the kernel may look for firmware there; `path` is as the system sees it. */
  holds(path: string): boolean {
    return this.directories.some((directory) => isBelow(path, directory));
  }

  /** READING_FIRMWARE of kernel_read_file. */
  isRead(path: string, tid: number): boolean {
    return this.holds(path) && isKernelThread(tid);
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

/** Whoever cannot be looked at is taken for none: a hook less is run, and none of the others left out. */
const isKernelThread = (tid: number): boolean => {
  try {
    const stat = readFileSync(`/proc/${tid}/stat`, 'latin1');
    // proc_pid_stat(5): the name may hold anything; state, ppid, pgrp, session, tty, tpgid and flags follow.
    const flags = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[6];
    return (Number(flags) & PF_KTHREAD) !== 0;
  } catch {
    return false;
  }
};
