import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { parsePcrValues } from '../../../src/cli/pcr-values.js';

const SHA1 = 'ab'.repeat(20);
const SHA256 = 'cd'.repeat(32);

function values(text: string, bank = 'sha1'): [number, string][] {
  const parsed = parsePcrValues(text, bank);
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.problem);
  return [...parsed.value].map(([pcr, value]) => [pcr, Buffer.from(value).toString('hex')]);
}

test('of the banks that tpm2_pcrread prints the wanted one is taken', () => {
  const text = `sha1:\n  0 : 0x${SHA1}\n  10: 0x${SHA1}\nsha256:\n  10: 0x${SHA256.toUpperCase()}\n`;
  assert.deepEqual(values(text), [
    [0, SHA1],
    [10, SHA1],
  ]);
  assert.deepEqual(values(text, 'sha256'), [[10, SHA256]]);
  assert.deepEqual(values(text, 'sha512'), []);
});

test('blanks between bytes and empty lines are passed over', () => {
  assert.deepEqual(values(`\nPCR-10: ${'AB '.repeat(20)}\n\n`), [[10, SHA1]]);
});

test('an empty file has no values', () => {
  assert.deepEqual(values(''), []);
});

test('no text makes it throw', () => {
  const line = fc.oneof(fc.string(), fc.stringMatching(/^(PCR-)?\d+: (0x)?[0-9a-f ]*$/));
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const parsed = parsePcrValues(lines.join('\n'), 'sha256');
      if (parsed.ok) for (const value of parsed.value.values()) assert.equal(value.length, 32);
      else assert.match(parsed.problem, /^line \d+/);
    }),
  );
});
