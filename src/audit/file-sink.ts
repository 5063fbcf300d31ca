/**
 * The file that audit=FILE names: kernel-form lines, appended in the order in which they were given.
 * Opened for appending, so logrotate's copytruncate works on it.
 */
import { type FileHandle, open } from 'node:fs/promises';

export interface SinkHealth {
  readonly file: string;
  readonly written: number;
  /** Records that did not reach the file. */
  readonly failed: number;
  readonly lastError: string | undefined;
}

export class FileSink {
  #written = 0;
  #failed = 0;
  #lastError: string | undefined;
  /** The last write broke off, perhaps within a line. */
  #torn = false;

  private constructor(
    private readonly path: string,
    private readonly handle: FileHandle,
    private readonly onFailure: (error: Error) => void,
  ) {}

  /** Rejects with open(2)'s error. `onFailure` hears of every record that could not be written. */
  static async open(path: string, onFailure: (error: Error) => void): Promise<FileSink> {
    return new FileSink(path, await open(path, 'a', 0o600), onFailure);
  }

  /**
   * Appends one line; callers wait for one before they give the next. Resolves, never rejects, once
   * the line is in the file or counted as failed.
   */
  async write(line: string): Promise<void> {
    try {
      await this.handle.appendFile(this.#torn ? `\n${line}` : line);
      this.#torn = false;
      this.#written += 1;
    } catch (error) {
      this.#torn = true;
      this.#failed += 1;
      this.#lastError = (error as Error).message;
      this.onFailure(error as Error);
    }
  }

  async close(): Promise<void> {
    await this.handle.close();
  }

  health(): SinkHealth {
    return {
      file: this.path,
      written: this.#written,
      failed: this.#failed,
      lastError: this.#lastError,
    };
  }
}
