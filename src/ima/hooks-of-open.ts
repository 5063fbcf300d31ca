import { isElf } from './elf.js';
import { type Hook, MAY_APPEND, MAY_EXEC, MAY_READ, MAY_WRITE } from './ports.js';

/** open(2) flags of Linux as the FUSE protocol carries them, the same on every architecture we serve. */
const O_ACCMODE = 0o3;
const O_WRONLY = 0o1;
const O_TRUNC = 0o1000;
const O_APPEND = 0o2000;

/** acc_mode by access mode: O_RDONLY, O_WRONLY, O_RDWR and the nameless fourth (ACC_MODE, fs.h). */
const ACC_MODE = [MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE, MAY_READ | MAY_WRITE] as const;

/** ima_file_mmap: what was asked for, then what the kernel makes of it. */
const MMAP_HOOKS: readonly Hook[] = ['MMAP_CHECK_REQPROT', 'MMAP_CHECK'];

/** Which opens also stand for an mmap(PROT_EXEC), which FUSE cannot see. */
export type MmapCheck = 'elf' | 'all' | 'off';

export interface OpenFacts {
  /** open(2) flags */
  readonly flags: number;
  /** Opened by the kernel to execute it. */
  readonly exec: boolean;
  /** It is the ELF interpreter named by the program opened just before. */
  readonly succeeding: boolean;
  /** The file's first 4096 bytes at most. */
  readonly head: Uint8Array;
  /** Last component of its name. */
  readonly name: string;
  /** A kernel thread reads it, where firmware is. */
  readonly isFirmware: boolean;
  readonly mmapCheck: MmapCheck;
}

export interface HookCall {
  readonly hook: Hook;
  /** MAY_* bits */
  readonly mask: number;
}

/** The hooks one open runs, in kernel order (DESIGN section 5). */
export function hooksOfOpen(open: OpenFacts): readonly HookCall[] {
  return open.exec ? hooksOfExec(open) : hooksOfPlainOpen(open);
}

/**
 * do_open_execat, ima_bprm_check, ima_creds_check, then elf_map's mmap; tried on kernels 6.12 and 7.3. The
 * newer one asks about credentials only for the program that a script leads to.
 */
function hooksOfExec({ succeeding, head }: OpenFacts): readonly HookCall[] {
  const hooks: Hook[] = succeeding ? ['FILE_CHECK'] : ['FILE_CHECK', 'BPRM_CHECK'];
  if (!succeeding && isElf(head)) {
    hooks.push('CREDS_CHECK');
  }
  if (succeeding || isElf(head)) {
    hooks.push(...MMAP_HOOKS);
  }
  return hooks.map((hook) => ({ hook, mask: MAY_EXEC }));
}

function hooksOfPlainOpen(open: OpenFacts): readonly HookCall[] {
  const { flags, head, name, isFirmware, mmapCheck } = open;
  const calls: HookCall[] = [{ hook: 'FILE_CHECK', mask: accessMode(flags) }];
  // What is truncated or cannot be read cannot be mapped with today's content.
  if ((flags & O_ACCMODE) === O_WRONLY || (flags & O_TRUNC) !== 0) {
    return calls;
  }
  if (mmapCheck === 'all' || (mmapCheck === 'elf' && isElf(head))) {
    calls.push(...MMAP_HOOKS.map((hook) => ({ hook, mask: MAY_EXEC })));
  }
  if (/\.ko(\.[a-z0-9]+)?$/.test(name)) {
    calls.push({ hook: 'MODULE_CHECK', mask: MAY_READ });
  }
  if (isFirmware) {
    calls.push({ hook: 'FIRMWARE_CHECK', mask: MAY_READ });
  }
  return calls;
}

/** build_open_flags (fs/open.c): truncating writes, appending is told apart from writing. */
function accessMode(flags: number): number {
  const mode = ACC_MODE[flags & O_ACCMODE] ?? MAY_READ;
  return mode | (flags & O_TRUNC ? MAY_WRITE : 0) | (flags & O_APPEND ? MAY_APPEND : 0);
}
