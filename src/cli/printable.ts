/** Longer words are cut in messages. */
const MOST_CHARACTERS = 200;

/** A text from outside, fit for a terminal: control characters are shown as escapes, and it has an end. */
export function printable(text: string, most = MOST_CHARACTERS): string {
  const cut = text.length > most ? `${text.slice(0, most)}…` : text;
  return cut.replace(/\p{Cc}/gu, (character) => JSON.stringify(character).slice(1, -1));
}
