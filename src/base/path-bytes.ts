/**
 * The bytes of a path that native gave us: a byte that is not part of UTF-8 is a lone surrogate there
 * (native/path_text.hpp). Whatever shows a path where its bytes count must go through this.
 */
export const pathBytes = (path: string): Buffer => {
  if (!ESCAPED.test(path)) return Buffer.from(path);
  const parts = path.split(ESCAPED_BYTE);
  return Buffer.concat(
    parts.map((part, index) =>
      index % 2 === 0 ? Buffer.from(part) : Buffer.of(part.charCodeAt(0) - 0xdc00),
    ),
  );
};

/** With /u a surrogate of a pair is not met, a lone one is. */
const ESCAPED = /[\udc80-\udcff]/u;
const ESCAPED_BYTE = /([\udc80-\udcff])/u;
