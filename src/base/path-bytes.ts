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
