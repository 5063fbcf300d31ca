/** How often each place of the instrumented code was reached: see instrument.ts. */

/** Places there may be. */
export const MOST_PLACES = 1 << 16;

export const hits = new Uint32Array(MOST_PLACES);
