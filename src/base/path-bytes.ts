/**
 * The bytes of a path that native gave us: a byte that is not part of UTF-8 is a character U+F780 to
 * U+F7FF there (native/path_text.hpp). Whatever shows a path where its bytes count goes through this.
 */
export const pathBytes = (path: string): Buffer =>
  Buffer.concat(
    path
      .split(ESCAPED)
      .map((part, index) =>
        index % 2 === 0 ? Buffer.from(part) : Buffer.of(part.charCodeAt(0) - 0xf700),
      ),
  );

const ESCAPED = /([\uf780-\uf7ff])/;

/** The other way round: what native takes for a path that somebody wrote. */
export const pathText = (bytes: Buffer): string => {
  const text = bytes.toString();
  if (!ESCAPED.test(text) && Buffer.from(text).equals(bytes)) return text;
  let escaped = '';
  for (let at = 0; at < bytes.length; ) {
    const character = characterAt(bytes, at);
    escaped += character ?? String.fromCharCode(0xf700 + (bytes[at] ?? 0));
    at += character === undefined ? 1 : Buffer.byteLength(character);
  }
  return escaped;
};

/** Undefined: the byte is not part of UTF-8, or of what an escaped one looks like. */
const characterAt = (bytes: Buffer, at: number): string | undefined =>
  [1, 2, 3, 4]
    .map((length) => bytes.subarray(at, at + length))
    .find((sequence) => {
      const character = sequence.toString();
      return !ESCAPED.test(character) && Buffer.from(character).equals(sequence);
    })
    ?.toString();
