import { type Found, type WalkedDirectory, walkFiles } from '../labels/walk-files.js';
import type { BatchReport, FileBatch, FileRun } from './file-task.js';

/** Enough to make what a message costs unimportant, and little enough to keep all workers busy. */
const MOST_FILES = 512;
/** All of a batch's directories are open until it is done. */
const MOST_DIRECTORIES = 16;
/** So many batches at least for each worker: a few large files are to be spread too. */
const BATCHES_EACH = 8;

/** Files for a worker, or what is to be said of a path that comes to nothing; numbered by `id` from 1. */
export type WalkedUnit =
  | { readonly kind: 'batch'; readonly batch: FileBatch; readonly release: () => void }
  | { readonly kind: 'report'; readonly report: BatchReport };

/** Cuts what the walks through `operands` find into batches; task `n` is for operand `n`. */
export class FileBatches {
  #walked = 0;
  #lastId = 0;
  #runs: { readonly directory: WalkedDirectory; readonly names: string[] }[] = [];
  #files = 0;

  constructor(
    private readonly operands: readonly string[],
    private readonly recursive: boolean,
    private readonly jobs: number,
  ) {}

  *units(): Generator<WalkedUnit> {
    for (const [task, operand] of this.operands.entries()) {
      for (const found of walkFiles(operand, this.recursive)) {
        if (found.kind === 'file') {
          this.#take(found);
          if (this.#isFull()) yield this.#cut(task);
        } else {
          if (this.#files > 0) yield this.#cut(task);
          yield this.#report(found);
        }
      }
      if (this.#files > 0) yield this.#cut(task);
    }
  }

  #take({ directory, name }: Found & { kind: 'file' }): void {
    this.#walked += 1;
    this.#files += 1;
    const run = this.#runs.at(-1);
    if (run?.directory === directory) {
      run.names.push(name);
    } else {
      directory.hold();
      this.#runs.push({ directory, names: [name] });
    }
  }

  /** The first batches hold a single file, later ones more, as there seem to be more of them. */
  #isFull(): boolean {
    const most = Math.min(MOST_FILES, this.#walked / (BATCHES_EACH * this.jobs));
    return this.#files >= most || this.#runs.length >= MOST_DIRECTORIES;
  }

  #cut(task: number): WalkedUnit {
    const directories = this.#runs.map(({ directory }) => directory);
    const runs = this.#runs.map(({ directory: { fd, base, shown, device }, names }): FileRun => {
      return { fd, base, shown, device, names };
    });
    this.#lastId += 1;
    this.#runs = [];
    this.#files = 0;
    return {
      kind: 'batch',
      batch: { id: this.#lastId, task, runs },
      release: () => {
        for (const directory of directories) directory.release();
      },
    };
  }

  #report({ path, message }: Found & { kind: 'problem' }): WalkedUnit {
    this.#lastId += 1;
    const told = [[path, { result: 'failed', message }]] as const;
    return { kind: 'report', report: { id: this.#lastId, counts: { failed: 1 }, told } };
  }
}
