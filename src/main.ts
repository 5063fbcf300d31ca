import { readFileSync } from 'node:fs';

import { commandTable } from './cli/commands.js';
import { EXIT, type ExitCode } from './cli/exit-codes.js';
import { Output } from './cli/output.js';
import { run } from './cli/run.js';
import { UserError } from './cli/user-error.js';
import { mountHelperWords } from './integrations/mount-helper.js';

/** argv -> command -> exit code. */
async function main(words: readonly string[]): Promise<ExitCode> {
  // A reader that goes away (`imafs status | head`) is no error.
  process.stdout.on('error', () => undefined);
  const commands = commandTable(async (options, beforeMount) =>
    (await import('./daemon.js')).startDaemon(options, beforeMount),
  );
  if (words[0] !== 'mount.fuse.imafs') return run(commands, version(), words);
  const helper = mountHelperWords(words.slice(1));
  if (!helper.ok) {
    new Output('mount', false).error(new UserError(EXIT.usage, 'mount-helper', helper.problem));
    return EXIT.usage;
  }
  return helper.value.length === 0 ? EXIT.ok : run(commands, version(), helper.value);
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** What is written to a pipe may still be on its way, and would be lost with the process. */
async function written(): Promise<void> {
  await new Promise((resolve) => process.stdout.write('', resolve));
}

const exit = await main(process.argv.slice(2));
await written();
process.exit(exit);
