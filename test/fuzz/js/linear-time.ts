import assert from 'node:assert/strict';

/** Characters, about. */
const SHORT = 32 * 1024;
const LONG = 8 * SHORT;
/** Eight times as much may take eight times as long; 64 times is what a loop in a loop takes. */
const MOST_GROWTH = 24;
/** What takes less is not measured well, and does nobody harm. */
const NEGLIGIBLE_MS = 50;
/** Other programs run too: only what is slow each time is slow. */
const TRIES = 4;

/** Throws if the time that `read` takes grows faster than what it reads, the same over and over. */
export function assertLinearTime(text: string, read: (text: string) => unknown): void {
  const times = (length: number): string => text.repeat(Math.ceil(length / (text.length + 1)));
  const [short, long] = [times(SHORT), times(LONG)];
  let shortMs = Infinity;
  let longMs = Infinity;
  for (let turn = 0; turn < TRIES; turn += 1) {
    shortMs = Math.min(
      shortMs,
      timeOf(() => read(short)),
    );
    longMs = Math.min(
      longMs,
      timeOf(() => read(long)),
    );
    if (longMs < NEGLIGIBLE_MS || longMs < MOST_GROWTH * shortMs) {
      return;
    }
  }
  const measured = `${shortMs.toFixed(1)} ms, ${longMs.toFixed(1)} ms`;
  assert.fail(`${short.length} and ${long.length} characters take ${measured}`);
}

function timeOf(run: () => unknown): number {
  const start = performance.now();
  run();
  return performance.now() - start;
}

/** Picks one input in so many, the same ones each time. */
export function isOneOf(many: number, input: Uint8Array): boolean {
  return input.reduce((sum, byte) => (Math.imul(sum, 31) + byte) >>> 0, input.length) % many === 0;
}
