/** What a list's directory says besides its journal: to which TPM and boot the list belongs. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** If any of these is another one, the PCRs began anew, or are others, and the list is of the past. */
export interface ListState {
  /** /proc/sys/kernel/random/boot_id */
  readonly bootId: string;
  /** Tpm.name */
  readonly tpm: string;
  readonly resetCount: number;
  /** 64-bit id of the namespace; the system's may change, its list is the mount's. */
  readonly namespace: string;
  /** What the TPM was chosen by, for who is not told again: none, swtpm, a string. */
  readonly choice: string;
}

const JOURNAL = 'journal';
const STATE = 'state.json';

export class ListDirectory {
  constructor(readonly path: string) {}

  /** Makes it if it is not there. */
  make(): void {
    mkdirSync(this.path, { recursive: true, mode: 0o700 });
  }

  get journal(): string {
    return join(this.path, JOURNAL);
  }

  /** Undefined where there is none, or none that can be read: then there is no list to go on with. */
  read(): ListState | undefined {
    try {
      return JSON.parse(readFileSync(join(this.path, STATE), 'utf8')) as ListState;
    } catch {
      return undefined;
    }
  }

  write(state: ListState): void {
    const file = join(this.path, STATE);
    writeFileSync(`${file}.new`, `${JSON.stringify(state)}\n`, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }

  /** Puts the list aside, whatever it belongs to; where it went, or undefined if there is none. */
  archive(): string | undefined {
    if (!existsSync(this.journal)) return undefined;
    const directory = this.#freeName();
    mkdirSync(directory, { mode: 0o700 });
    for (const name of [STATE, JOURNAL]) {
      const file = join(this.path, name);
      if (existsSync(file)) renameSync(file, join(directory, name));
    }
    return directory;
  }

  /** The list begins anew, and nothing is lost with it. */
  forget(): void {
    rmSync(this.journal, { force: true });
    rmSync(join(this.path, STATE), { force: true });
  }

  /** The namespace ended, and its list with it. */
  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }

  #freeName(): string {
    const time = new Date().toISOString().replaceAll(':', '');
    for (let number = 1; ; number += 1) {
      const name = join(this.path, `archive-${time}-${number}`);
      if (!existsSync(name)) return name;
    }
  }
}

/** Whether a list that was kept with `kept` goes on under `now`. */
export const goesOn = (kept: ListState | undefined, now: ListState): kept is ListState =>
  kept !== undefined &&
  kept.bootId === now.bootId &&
  kept.tpm === now.tpm &&
  kept.resetCount === now.resetCount &&
  kept.namespace === now.namespace;
