/** The end of a file, where a signature may be appended. */
import assert from 'node:assert/strict';
import { decodeModsig, MODSIG_TAIL_BYTES } from '../../../src/ima/modsig/decode-modsig.js';
import { readBetween } from './surroundings.js';

export const code = ['src/ima/modsig'];

/** The file's size, and its end. */
export const longest = 8 + MODSIG_TAIL_BYTES + 8;

const MARKER = '~Module signature appended~\n';

export function seeds(): readonly Uint8Array[] {
  return [1, 100, 0, 0x7fffffff, 0xffffffff].flatMap((messageBytes) =>
    [0, 1, 40, 41, 141, 4096, 2 ** 40].map((fileBytes) => {
      const head = Buffer.alloc(20);
      head.writeBigUInt64LE(BigInt(fileBytes));
      head[10] = 2;
      head.writeUInt32BE(messageBytes, 16);
      return Buffer.concat([head, Buffer.from(MARKER)]);
    }),
  );
}

/** Content, message and tail are the whole file, and neither of the first two is empty. */
export function check(input: Uint8Array): void {
  const size = Buffer.alloc(8);
  size.set(input.subarray(0, 8));
  const fileBytes = Number(size.readBigUInt64LE() & 0xfffffffffffffn);
  const place = readBetween(input.subarray(8), (tail) => decodeModsig(tail, fileBytes));
  if (place === undefined) return;
  const { contentBytes, messageBytes } = place;
  assert.ok(contentBytes > 0 && messageBytes > 0);
  assert.equal(contentBytes + messageBytes + MODSIG_TAIL_BYTES, fileBytes);
}
