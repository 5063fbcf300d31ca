/** One word of a policy line. */
export interface Token {
  readonly text: string;
  /** 1-based */
  readonly column: number;
}

/**
 * The words of one line, separated by spaces and tabs as in ima_parse_rule; nothing else separates,
 * not even a carriage return. A word that begins with # begins a comment, also after a rule (7.x).
 */
export function lexPolicyLine(line: string): readonly Token[] {
  const tokens: Token[] = [];
  for (const { 0: text, index } of line.matchAll(/[^ \t]+/g)) {
    if (text.startsWith('#')) {
      break;
    }
    tokens.push({ text, column: index + 1 });
  }
  return tokens;
}
