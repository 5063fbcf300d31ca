/** Each target for a moment, always with the same inputs: `make fuzz` is for finding new ones. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { explore } from './explore.js';
import { targets } from './targets.js';

const MILLISECONDS = 1000;

for (const [name, target] of Object.entries(targets)) {
  test(`${name}: nothing is found in a moment`, () => {
    const end = performance.now() + MILLISECONDS;
    const finding = explore({
      target,
      seed: 1,
      known: [],
      words: [],
      places: 0,
      isOver: () => performance.now() > end,
      trying: () => undefined,
      kept: () => undefined,
    });
    assert.equal(finding?.error, undefined, `input ${hex(finding?.input)}`);
  });
}

function hex(input: Uint8Array = new Uint8Array()): string {
  return Buffer.from(input).toString('hex');
}
