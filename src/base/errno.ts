/** The one door to errno numbers. Everything else speaks of errors by name. */
import { constants } from 'node:os';

/** Those of keys, which Node does not name (asm-generic/errno.h, so on all machines we run on). */
const KEY_ERRNOS = { ENOPKG: 65, ENOKEY: 126, EKEYREJECTED: 129 } as const;

const numbers = { ...constants.errno, ...KEY_ERRNOS };

export type ErrnoName = keyof typeof numbers;

/** Positive, as the FUSE protocol and native/ want it. */
export const errnoNumber = (name: ErrnoName): number => numbers[name];

const names = new Map(Object.entries(numbers).map(([name, number]) => [number, name as ErrnoName]));

/** Undefined for 0 and for numbers that Linux does not use. */
export const errnoName = (number: number): ErrnoName | undefined => names.get(number);

/** The errno a system error of Node or of the addon carries as `code`; undefined: it is a bug. */
export const errnoOf = (error: unknown): ErrnoName | undefined => {
  const { code, errno } = (error ?? {}) as { code?: unknown; errno?: unknown };
  if (typeof code === 'string' && Object.hasOwn(numbers, code)) return code as ErrnoName;
  // What Node has no name for it gives as a negative number.
  return typeof errno === 'number' ? names.get(-errno) : undefined;
};
