import { type ParseArgsConfig, parseArgs } from 'node:util';

import { failure, type Result, success } from '../base/result.js';
import { nearestWord } from '../ima/policy/nearest-word.js';
import type { Command, GivenOptions, OptionSpec } from './command.js';

export interface UsageProblem {
  readonly code: 'unknown-verb' | 'unknown-option' | 'bad-option' | 'bad-operands' | 'no-verb';
  readonly message: string;
  readonly nearest?: string;
}

/** Options every verb takes. */
export const COMMON_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  json: { type: 'boolean', help: 'print JSON lines' },
  help: { type: 'boolean', short: 'h', help: 'show this help' },
};

/** The command whose words start `words`, and what follows them. */
export function findCommand(
  commands: readonly Command[],
  words: readonly string[],
): Result<{ command: Command; rest: readonly string[] }, UsageProblem> {
  const [first, second] = words;
  if (first === undefined) return failure({ code: 'no-verb', message: 'no verb given' });
  for (const name of [`${first} ${second ?? ''}`, first]) {
    const command = commands.find((candidate) => candidate.name === name);
    if (command !== undefined) {
      return success({ command, rest: words.slice(name.split(' ').length) });
    }
  }
  const family = commands.filter((command) => command.name.startsWith(`${first} `));
  const typed = family.length === 0 ? first : `${first} ${second ?? ''}`.trim();
  const known =
    family.length === 0
      ? commands.map((command) => command.name.split(' ')[0] ?? '')
      : family.map((command) => command.name);
  const nearest = nearestWord(typed, known);
  const message =
    family.length > 0 && (second === undefined || second.startsWith('-'))
      ? `'${first}' needs one of: ${family.map(({ name }) => name.split(' ')[1]).join(', ')}`
      : `unknown verb '${typed}'`;
  return failure({ code: 'unknown-verb', message, ...(nearest === undefined ? {} : { nearest }) });
}

/** Options and operands of one command, checked against its table entry. */
export function parseArguments(
  command: Command,
  words: readonly string[],
): Result<{ operands: readonly string[]; options: GivenOptions }, UsageProblem> {
  const specs: Readonly<Record<string, OptionSpec>> = { ...COMMON_OPTIONS, ...command.options };
  const { tokens, positionals } = parseArgs({
    args: [...words],
    options: parseArgsOptions(specs),
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const given = new Map<string, string[]>();
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const spec = specs[token.name];
    if (spec === undefined) return failure(unknownOption(token.rawName, Object.keys(specs)));
    if (spec.type === 'boolean' && token.value !== undefined) {
      return failure({ code: 'bad-option', message: `option ${token.rawName} takes no value` });
    }
    if (spec.type === 'string' && (token.value === undefined || token.value === '')) {
      return failure({ code: 'bad-option', message: `option ${token.rawName} needs a value` });
    }
    given.set(token.name, [...(given.get(token.name) ?? []), token.value ?? '']);
  }
  const isHelp = given.has('help');
  if (!isHelp && (positionals.length < command.fewest || positionals.length > command.most)) {
    const wanted = command.operands === '' ? 'no operands' : command.operands;
    return failure({
      code: 'bad-operands',
      message: `imafs ${command.name} takes ${wanted}, got ${positionals.length}`,
    });
  }
  return success({ operands: positionals, options: givenOptions(given) });
}

function parseArgsOptions(
  specs: Readonly<Record<string, OptionSpec>>,
): NonNullable<ParseArgsConfig['options']> {
  return Object.fromEntries(
    Object.entries(specs).map(([name, { type, short }]) => [
      name,
      { type, multiple: true, ...(short === undefined ? {} : { short }) },
    ]),
  );
}

function unknownOption(rawName: string, known: readonly string[]): UsageProblem {
  const nearest = nearestWord(rawName.replace(/^-+/, ''), known);
  return {
    code: 'unknown-option',
    message: `unknown option ${rawName}`,
    ...(nearest === undefined ? {} : { nearest: `--${nearest}` }),
  };
}

function givenOptions(given: ReadonlyMap<string, readonly string[]>): GivenOptions {
  return {
    flag: (name) => given.has(name),
    text: (name) => given.get(name)?.at(-1),
    texts: (name) => given.get(name) ?? [],
  };
}
