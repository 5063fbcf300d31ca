import { pathBytes } from './path-bytes.js';

/** What no shell takes for anything but itself; a tilde or an equals sign may be more. */
const PLAIN = /^[\w@%+:,./-]+$/;
/** Control characters, and the bytes that pathBytes() knows: neither is fit for a terminal. */
const UNSHOWABLE = /[\p{Cc}\uf780-\uf7ff]/u;

/** One word of a shell command: what is shown may be pasted into bash or zsh (any shell, if showable). */
export function shellWord(text: string): string {
  if (PLAIN.test(text)) return text;
  if (!UNSHOWABLE.test(text)) return `'${text.replaceAll("'", "'\\''")}'`;
  const escaped = Array.from(text, (character) =>
    UNSHOWABLE.test(character) ? hexEscapes(character) : character.replace(/['\\]/, '\\$&'),
  );
  return `$'${escaped.join('')}'`;
}

function hexEscapes(character: string): string {
  return [...pathBytes(character)]
    .map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`)
    .join('');
}
