import { type HookCall, hooksOfOpen } from '../../hooks-of-open.js';
import { type Hook, MAY_READ } from '../../ports.js';

/** open(2) flags: four access modes, O_TRUNC, O_APPEND. */
const FLAGS = [0, 1, 2, 3].flatMap((mode) =>
  [0, 0o1000, 0o2000, 0o3000].map((more) => mode | more),
);
const HEADS = [Buffer.alloc(0), Buffer.from('\x7fELF')];

/** A file that as many hooks as possible are about. */
const MOST_HOOKS = { succeeding: false, name: 'a.ko', isFirmware: true, mmapCheck: 'elf' } as const;

/** Hooks that are no open: they have no mask but that of the reading of a policy. */
const WITHOUT_OPEN: readonly Hook[] = ['SETXATTR_CHECK', 'KEY_CHECK', 'CRITICAL_DATA'];

/** Every hook that imafs runs when a file is opened or a policy is read, with every mask it can have. */
export const calls: readonly HookCall[] = distinct([
  ...FLAGS.flatMap((flags) =>
    HEADS.flatMap((head) =>
      [false, true].flatMap((exec) => hooksOfOpen({ ...MOST_HOOKS, flags, exec, head })),
    ),
  ),
  { hook: 'POLICY_CHECK', mask: MAY_READ },
]);

/** Whether FUSE, or imafs itself, ever comes to ask about this hook. */
export function runs(hook: Hook): boolean {
  return WITHOUT_OPEN.includes(hook) || calls.some((call) => call.hook === hook);
}

function distinct(all: readonly HookCall[]): HookCall[] {
  return [...new Map(all.map((call) => [`${call.hook} ${call.mask}`, call])).values()];
}
