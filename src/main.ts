import { readFileSync } from 'node:fs';

import { commandTable } from './cli/commands.js';
import { Output } from './cli/output.js';
import { run } from './cli/run.js';
import { mountHelper } from './integrations/mount-helper.js';
import { umountHelper } from './integrations/umount-helper.js';

/** argv -> command -> exit code; those of mount(8) and umount(8) for their helpers. */
async function main(words: readonly string[]): Promise<number> {
  // A reader that goes away (`imafs status | head`) is no error.
  process.stdout.on('error', () => undefined);
  const commands = commandTable(async (options, beforeMount) =>
    (await import('./daemon.js')).startDaemon(options, beforeMount),
  );
  const runVerb = (verb: readonly string[]) => run(commands, version(), verb);
  const [first = '', second = ''] = words;
  if (first === 'mount.fuse.imafs') {
    return mountHelper(words.slice(1), runVerb, new Output('mount', false));
  }
  if (first === 'umount.fuse.imafs') {
    return umountHelper(words.slice(1), runVerb, new Output('umount', false));
  }
  // `imafs BACKING MOUNTPOINT -o ...`: so calls mount.fuse(8), for `mount -t fuse imafs#BACKING ...`.
  if (first.startsWith('/') && second.startsWith('/')) {
    return mountHelper(words, runVerb, new Output('mount', false));
  }
  return runVerb(words);
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
