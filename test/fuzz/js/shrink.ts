/** The shortest input for which something still holds, as far as leaving out parts leads to it. */
export function shrink(input: Uint8Array, holds: (shorter: Uint8Array) => boolean): Uint8Array {
  let best = input;
  for (let part = largestPart(best.length); part >= 1; part = Math.floor(part / 2)) {
    for (let start = 0; start < best.length; ) {
      const shorter = Buffer.concat([best.subarray(0, start), best.subarray(start + part)]);
      if (holds(shorter)) {
        best = shorter;
      } else {
        start += part;
      }
    }
  }
  return best;
}

function largestPart(length: number): number {
  return Math.max(1, Math.ceil(length / 2));
}
