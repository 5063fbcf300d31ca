import { failure, type Result, success } from '../base/result.js';

/** What mount(8) and umount(8) pass to their helpers, taken apart: `OPERAND... [-LETTERS] [-X VALUE]`. */
export interface HelperWords {
  readonly operands: readonly string[];
  readonly flags: ReadonlySet<string>;
  /** Values of each letter that takes one, in their order. */
  readonly values: ReadonlyMap<string, readonly string[]>;
}

/**
 * As getopt(3) does: letters may share a dash, a value may follow its letter at once or as the next word,
 * options may stand anywhere, and `--` ends them. The problem is a sentence.
 */
export function helperWords(
  words: readonly string[],
  { flags: known, valued }: { readonly flags: string; readonly valued: string },
): Result<HelperWords, string> {
  const operands: string[] = [];
  const flags = new Set<string>();
  const values = new Map<string, string[]>();
  const rest = [...words];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--') {
      operands.push(...rest);
      break;
    }
    if (!word.startsWith('-') || word === '-') {
      operands.push(word);
      continue;
    }
    for (let at = 1; at < word.length; at++) {
      const letter = word.charAt(at);
      if (known.includes(letter)) {
        flags.add(letter);
        continue;
      }
      if (!valued.includes(letter)) return failure(`unknown option ${optionIn(word, letter)}`);
      const value = word.slice(at + 1) || rest.shift();
      if (value === undefined) return failure(`option -${letter} needs a value`);
      values.set(letter, [...(values.get(letter) ?? []), value]);
      break;
    }
  }
  return success({ operands, flags, values });
}

/** The whole word if it is a long option. */
function optionIn(word: string, letter: string): string {
  return word.startsWith('--') ? word : `-${letter}`;
}
