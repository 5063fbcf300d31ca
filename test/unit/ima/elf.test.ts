import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { interpreterPath, isElf } from '../../../src/ima/elf.js';

/** An object with one PT_LOAD and one PT_INTERP header, the path behind them. */
function object(bits: 32 | 64, little: boolean, path: string): Uint8Array {
  const head = new Uint8Array(512);
  const view = new DataView(head.buffer);
  const wide = bits === 64;
  const word = (at: number, value: number): void =>
    wide ? view.setBigUint64(at, BigInt(value), little) : view.setUint32(at, value, little);
  head.set([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, little ? 1 : 2]);
  const [table, size] = wide ? [64, 56] : [52, 32];
  word(wide ? 32 : 28, table);
  view.setUint16(wide ? 54 : 42, size, little);
  view.setUint16(wide ? 56 : 44, 2, little);
  view.setUint32(table, 1, little);
  const interp = table + size;
  view.setUint32(interp, 3, little);
  word(interp + (wide ? 8 : 4), 300);
  word(interp + (wide ? 32 : 16), path.length + 1);
  head.set(new TextEncoder().encode(path), 300);
  return head;
}

for (const bits of [32, 64] as const) {
  for (const little of [true, false]) {
    test(`interpreter of a ${bits} bit ${little ? 'little' : 'big'} endian program`, () => {
      assert.equal(interpreterPath(object(bits, little, '/lib/ld.so.1')), '/lib/ld.so.1');
    });
  }
}

test('interpreter of the program that runs this test', () => {
  const head = readFileSync(process.execPath).subarray(0, 4096);
  assert.equal(isElf(head), true);
  assert.match(interpreterPath(head) ?? '', /^\/.*\/ld-/);
});

test('nothing where the header is cut, the path is beyond or not ended, or it is no object', () => {
  const whole = object(64, true, '/lib/ld.so.1');
  assert.equal(interpreterPath(whole.subarray(0, 63)), undefined);
  assert.equal(interpreterPath(whole.subarray(0, 130)), undefined);
  assert.equal(interpreterPath(whole.subarray(0, 310)), undefined);
  assert.equal(interpreterPath(object(64, true, 'lib/ld.so')), undefined);
  const unended = whole.slice();
  unended[312] = 0x78;
  assert.equal(interpreterPath(unended), undefined);
  assert.equal(interpreterPath(new Uint8Array(0)), undefined);
});

test('no bytes make it throw', () => {
  const header = object(64, true, '/lib/ld.so.1');
  const damaged = fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 20 }).map((changes) => {
    const copy = header.slice();
    for (const [at, byte] of changes) {
      copy[at] = byte;
    }
    return copy;
  });
  fc.assert(
    fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 300 })), (bytes) => {
      isElf(bytes);
      interpreterPath(bytes);
    }),
  );
});
