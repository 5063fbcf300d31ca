/** The one door to errno numbers. Everything else speaks of errors by name. */
import { constants } from 'node:os';

export type ErrnoName = keyof typeof constants.errno;

/** Positive, as the FUSE protocol and native/ want it. */
export const errnoNumber = (name: ErrnoName): number => constants.errno[name];

const names = new Map(
  Object.entries(constants.errno).map(([name, number]) => [number, name as ErrnoName]),
);

/** Undefined for 0 and for numbers that Linux does not use. */
export const errnoName = (number: number): ErrnoName | undefined => names.get(number);

/** The errno a system error of Node or of the addon carries as `code`; undefined: it is a bug. */
export const errnoOf = (error: unknown): ErrnoName | undefined => {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' && code in constants.errno ? (code as ErrnoName) : undefined;
};
