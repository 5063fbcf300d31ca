import type { Command } from './command.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { commandHelp, overviewHelp, usageLine } from './help.js';
import { Output, type Streams } from './output.js';
import { findCommand, parseArguments, type UsageProblem } from './parse-arguments.js';
import { UserError } from './user-error.js';

/** Runs one command line (argv without node and script) and returns its exit code; never throws. */
export async function run(
  commands: readonly Command[],
  version: string,
  words: readonly string[],
  streams: Streams = process,
): Promise<ExitCode> {
  // What follows -- is none of ours.
  const json = words.slice(0, indexOrEnd(words, '--')).includes('--json');
  const first = words[0] === '--json' ? words[1] : words[0];
  if (first === '--help' || first === '-h' || first === 'help') {
    new Output('help', json, streams).result(
      'help',
      { verbs: commands.map(({ name, operands, summary }) => ({ name, operands, summary })) },
      overviewHelp(commands),
    );
    return EXIT.ok;
  }
  if (first === '--version') {
    new Output('version', json, streams).result('version', { version }, `imafs ${version}`);
    return EXIT.ok;
  }
  const found = findCommand(commands, words[0] === '--json' ? words.slice(1) : words);
  if (!found.ok) {
    const hints = ["'imafs --help' lists the verbs"];
    return fail(new Output('usage', json, streams), usageError(found.problem, hints));
  }
  const { command, rest } = found.value;
  const output = new Output(command.name, json, streams);
  const parsed = parseArguments(command, rest);
  if (!parsed.ok) return fail(output, usageError(parsed.problem, [usageLine(command)]));
  if (parsed.value.options.flag('help')) {
    const help = commandHelp(command);
    output.result('help', { text: help }, help);
    return EXIT.ok;
  }
  try {
    return await command.run({ ...parsed.value, output });
  } catch (error) {
    return fail(output, error);
  }
}

function indexOrEnd(words: readonly string[], word: string): number {
  const index = words.indexOf(word);
  return index < 0 ? words.length : index;
}

function usageError(problem: UsageProblem, hints: readonly string[]): UserError {
  const meant = problem.nearest === undefined ? [] : [`did you mean '${problem.nearest}'?`];
  return new UserError(EXIT.usage, problem.code, problem.message, [...meant, ...hints]);
}

function fail(output: Output, error: unknown): ExitCode {
  if (error instanceof UserError) {
    output.error(error);
    return error.exit;
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  output.error(
    new UserError(EXIT.runtime, 'bug', `unexpected error: ${message}`, [
      'this is a bug of imafs: please report the lines above',
    ]),
  );
  return EXIT.runtime;
}
