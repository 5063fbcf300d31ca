/** Edits beyond which a word is no longer a misspelling of another. */
const MOST_EDITS = 3;
/** No word of the policy language is longer than 22 characters. */
const LONGEST_WORD = 40;

/** The known word a misspelt one was probably meant to be, ignoring case; undefined if none is near. */
export function nearestWord(word: string, known: readonly string[]): string | undefined {
  if (word.length > LONGEST_WORD) {
    return undefined;
  }
  const ranked = known
    // Each character more or less is an edit.
    .filter(({ length }) => Math.abs(length - word.length) <= MOST_EDITS)
    .map((candidate) => ({ candidate, edits: edits(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((left, right) => left.edits - right.edits);
  const best = ranked[0];
  // Half of a short word changed is another word, not a slip.
  return best && best.edits <= Math.min(MOST_EDITS, best.candidate.length / 2)
    ? best.candidate
    : undefined;
}

/** Levenshtein distance. */
function edits(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let at = 0; at < left.length; at += 1) {
    const next = [at + 1];
    for (let column = 1; column <= right.length; column += 1) {
      const replaced = (row[column - 1] ?? 0) + (right[column - 1] === left[at] ? 0 : 1);
      next.push(Math.min(replaced, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[right.length] ?? 0;
}
