import assert from 'node:assert/strict';

/** Of what lies before and behind an input: enough for whatever reads a header beyond its end. */
const MARGIN = 64;

/**
 * What `read` makes of an input that is a part of a larger buffer. Whatever lies around it must not
 * count, so it is read twice between different neighbours; and nothing of it may be written.
 */
export function readBetween<Made>(input: Uint8Array, read: (bytes: Uint8Array) => Made): Made {
  const made = readAmong(input, 0x00, read);
  assert.deepEqual(readAmong(input, 0xff, read), made, 'it depends on what lies outside');
  return made;
}

function readAmong<Made>(
  input: Uint8Array,
  neighbour: number,
  read: (bytes: Uint8Array) => Made,
): Made {
  const whole = new Uint8Array(input.length + 2 * MARGIN).fill(neighbour);
  whole.set(input, MARGIN);
  const before = whole.slice();
  const made = read(whole.subarray(MARGIN, MARGIN + input.length));
  assert.equal(Buffer.compare(whole, before), 0, 'it writes what it is to read');
  return made;
}
