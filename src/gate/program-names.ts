/**
 * What a thread that executes a program is called once that is loaded (begin_new_exec): the program it named,
 * also while an interpreter is loaded for it.
 */
import { basename } from 'node:path';
import type { OpenUpcall } from '../binding/addon-types.js';

/** TASK_COMM_LEN less the NUL. */
const TASK_COMM_LENGTH = 15;

/** Execs that lead to another one, at most; of the others the interpreter's own name is told. */
const MOST_THREADS = 1024;

interface Led {
  readonly name: string;
  /** Last component of the script's interpreter; undefined: the program's ELF interpreter comes next. */
  readonly interpreter: string | undefined;
}

export class ProgramNames {
  readonly #led = new Map<number, Led>();

  /** Of an exec that is asked about: once for each. */
  take({ caller: { tid }, path, succeeding }: OpenUpcall): string {
    const own = basename(path);
    const led = this.#led.get(tid);
    this.#led.delete(tid);
    const isLed = led !== undefined && (succeeding || led.interpreter === own);
    return (isLed ? led.name : own).slice(0, TASK_COMM_LENGTH);
  }

  /** An exec that was let through leads on: `head` is the beginning of a script or of an ELF program. */
  leads({ caller: { tid } }: OpenUpcall, name: string, head: Uint8Array): void {
    const [first] = this.#led.keys();
    if (this.#led.size >= MOST_THREADS && first !== undefined) this.#led.delete(first);
    this.#led.set(tid, { name, interpreter: interpreterOf(head) });
  }
}

/** load_script */
const interpreterOf = (head: Uint8Array): string | undefined => {
  const [, path] = /^#![ \t]*([^ \t\n\0]+)/.exec(Buffer.from(head).toString('latin1')) ?? [];
  return path === undefined ? undefined : basename(path);
};
