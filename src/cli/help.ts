import type { Command, OptionSpec } from './command.js';
import { EXIT_MEANINGS } from './exit-codes.js';
import { COMMON_OPTIONS } from './parse-arguments.js';

/** `imafs --help`: the table of verbs and exit codes. */
export function overviewHelp(commands: readonly Command[]): string {
  const verbs = commands.map((command): [string, string] => [
    `${command.name} ${command.operands}`,
    command.summary,
  ]);
  const codes = Object.entries(EXIT_MEANINGS).map(([code, meaning]): [string, string] => [
    code,
    meaning,
  ]);
  return [
    'usage: imafs VERB [OPTION...] [OPERAND...]',
    '',
    'imafs puts a directory under an IMA policy of its own for each mount namespace.',
    '',
    'verbs:',
    ...columns(verbs),
    '',
    'exit codes:',
    ...columns(codes),
    '',
    "'imafs VERB --help' shows the options of a verb; every verb takes --json.",
  ].join('\n');
}

/** One line, as a usage error shows it. */
export function usageLine(command: Command): string {
  return `usage: imafs ${command.name} [OPTION...] ${command.operands}`.trimEnd();
}

export function commandHelp(command: Command): string {
  const options = Object.entries({ ...command.options, ...COMMON_OPTIONS }).flatMap(
    ([name, spec]): [string, string][] =>
      spec.help === undefined ? [] : [[optionName(name, spec), spec.help]],
  );
  const details = command.details === undefined ? [] : ['', ...command.details];
  return [
    usageLine(command),
    '',
    command.summary,
    '',
    'options:',
    ...columns(options),
    ...details,
  ].join('\n');
}

/** Rows of two columns, indented, the first as wide as its widest cell. */
export function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(0, ...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`.trimEnd());
}

function optionName(name: string, { short, value }: OptionSpec): string {
  const long = value === undefined ? `--${name}` : `--${name} ${value}`;
  return short === undefined ? long : `-${short}, ${long}`;
}
