import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { pathBytes } from '../../../src/base/path-bytes.js';
import { shellWord } from '../../../src/base/shell-word.js';

test('what needs no quotes gets none', () => {
  assert.equal(shellWord('/srv/app/run-1.2.sh'), '/srv/app/run-1.2.sh');
  assert.equal(shellWord("it's"), "'it'\\''s'");
  assert.equal(shellWord('~root'), "'~root'");
  assert.equal(shellWord('a\u001b[1m\uf7ff'), "$'a\\x1b[1m\\xff'");
});

test('bash reads back what was meant', () => {
  const characters = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 8 }),
    fc.stringMatching(/^[\n\t '"$`\\*?~=!&|;\uf780\uf7ff]{0,8}$/),
  );
  fc.assert(
    fc.property(fc.array(characters, { minLength: 1, maxLength: 50 }), (texts) => {
      const words = texts.map((text) => text.replaceAll('\0', ''));
      const script = `printf '%s\\0' ${words.map(shellWord).join(' ')}`;
      const { stdout } = spawnSync('bash', ['-c', script]);
      const expected = words.map((word) => Buffer.concat([pathBytes(word), Buffer.of(0)]));
      assert.deepEqual(stdout, Buffer.concat(expected));
    }),
    { numRuns: 30 },
  );
});
