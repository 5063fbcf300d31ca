import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodePolicy } from '../../../../src/ima/policy/decode-policy.js';

const problemsOf = (bytes: Uint8Array): unknown[] => {
  const decoded = decodePolicy(bytes);
  const problems = decoded.ok ? decoded.value.problems : [decoded.problem];
  return problems.map(({ line, column, message, hint }) => [line, column, message, hint]);
};
const textOf = (bytes: Uint8Array): string | undefined => {
  const decoded = decodePolicy(bytes);
  return decoded.ok ? decoded.value.text : undefined;
};

test('a file with Windows line ends is told once, and read without them', () => {
  const bytes = Buffer.from('# é\nmeasure\r\nappraise\r\n');
  const [[line, column, message, hint] = [], ...more] = problemsOf(bytes) as string[][];
  assert.deepEqual([line, column, more], [2, 8, []]);
  assert.match(`${message}`, /carriage return/);
  assert.match(`${hint}`, /dos2unix/);
  assert.equal(textOf(bytes), '# é\nmeasure\nappraise\n');
  assert.equal(textOf(Buffer.from('measure\r')), 'measure');
});

test('UTF-16 is no text, with or without a mark, of either order', () => {
  const little = Buffer.from('measure\n', 'utf16le');
  for (const bytes of [
    little,
    Buffer.from(little).swap16(),
    Buffer.concat([Buffer.of(0xff, 0xfe), little]),
    Buffer.concat([Buffer.of(0xfe, 0xff), Buffer.from(little).swap16()]),
  ]) {
    assert.match(String(problemsOf(bytes)[0]), /^1,1,the file is UTF-16.*iconv/);
    assert.equal(textOf(bytes), undefined);
  }
});

test('a NUL byte is told by its place', () => {
  assert.match(String(problemsOf(Buffer.from('measure\naud\0it\n'))[0]), /^2,4,.*NUL byte/);
});

test('a byte order mark is told, and taken away', () => {
  const bytes = Buffer.from('\ufeffmeasure\n');
  assert.match(String(problemsOf(bytes)[0]), /^1,1,.*byte order mark/);
  assert.equal(textOf(bytes), 'measure\n');
});

test('other files are their text', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[ -~\n\té]*$/), (text) => {
      assert.equal(textOf(Buffer.from(text)), text);
    }),
  );
  assert.deepEqual(problemsOf(Buffer.from('measure')), []);
});

test('no bytes make it throw', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      assert.equal(typeof decodePolicy(bytes).ok, 'boolean');
    }),
  );
});
