import { commandTable } from '../../../src/cli/commands.js';
import type { ExitCode } from '../../../src/cli/exit-codes.js';
import { run } from '../../../src/cli/run.js';

export interface Transcript {
  readonly exit: ExitCode;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line in this process; words are split at blanks. No daemon can be started. */
export async function transcript(line: string): Promise<Transcript> {
  let stdout = '';
  let stderr = '';
  const commands = commandTable(() => Promise.reject(new Error('no daemon in unit tests')));
  const exit = await run(
    commands,
    '1.2.3',
    line.split(' ').filter((word) => word !== ''),
    {
      stdout: { write: (text) => void (stdout += Buffer.from(text).toString('utf8')) },
      stderr: { write: (text) => void (stderr += text) },
    },
  );
  return { exit, stdout, stderr };
}

/** Every line of stdout as JSON. */
export function jsonLines({ stdout }: Transcript): Record<string, unknown>[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
