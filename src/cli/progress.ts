import type { Output } from './output.js';

const FIRST_MS = 1000;
const EVERY_MS = 100;
const WIDTH = 30;

/** A bar on the terminal for work that takes more than a second; silent anywhere else. */
export class Progress {
  private readonly startedMs = performance.now();
  private drawnMs = 0;
  private doneBytes = 0;

  constructor(
    private readonly output: Output,
    /** undefined where it is not known: then the amount is shown without a bar. */
    private readonly totalBytes: number | undefined,
  ) {}

  add(bytes: number): void {
    this.doneBytes += bytes;
    const nowMs = performance.now();
    if (nowMs - this.startedMs < FIRST_MS || nowMs - this.drawnMs < EVERY_MS) return;
    this.drawnMs = nowMs;
    const seconds = (nowMs - this.startedMs) / 1000;
    const rate = `${mebibytes(this.doneBytes / seconds)}/s`;
    this.output.transient(`${this.bar()}  ${mebibytes(this.doneBytes)}  ${rate}`);
  }

  /** Takes the bar away. */
  clear(): void {
    if (this.drawnMs > 0) this.output.transient('');
    this.drawnMs = 0;
  }

  private bar(): string {
    if (this.totalBytes === undefined || this.totalBytes === 0) return '';
    const part = Math.min(1, this.doneBytes / this.totalBytes);
    const filled = Math.round(part * WIDTH);
    const percent = `${Math.floor(part * 100)}%`.padStart(4);
    return `[${'#'.repeat(filled)}${' '.repeat(WIDTH - filled)}]${percent}`;
  }
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
