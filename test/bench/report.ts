/** How results are taken together and shown. */

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** The median of `combine` over what two measured in the same rounds. */
export function paired(
  left: readonly number[],
  right: readonly number[],
  combine: (left: number, right: number) => number,
): number {
  return median(left.map((value, round) => combine(value, right[round] ?? Number.NaN)));
}

/** The contestants in an order that changes with the round. */
export function inTurn<One>(contestants: readonly One[], round: number): One[] {
  const at = round % contestants.length;
  return [...contestants.slice(at), ...contestants.slice(0, at)];
}

/** `met` where a target is, for whoever reads many lines. */
export function verdict(isMet: boolean, target: string): string {
  return `target ${target}: ${isMet ? 'met' : 'MISSED'}`;
}
