import { realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { isBelow } from '../base/mountinfo.js';
import type { DaemonOptions } from '../daemon-options.js';
import { EXIT } from './exit-codes.js';
import { UserError } from './user-error.js';

/** Where imafs itself is installed. */
const PACKAGE = fileURLToPath(new URL('../../..', import.meta.url));

type Covering = Pick<DaemonOptions, 'mountpoint' | 'stateDirectory' | 'auditFile'>;

/**
 * Throws if the mount would lie over what its own daemon opens by path: it would wait for an answer
 * that only it can give.
 */
export function demandUncovered({ mountpoint, stateDirectory, auditFile }: Covering): void {
  const needed = [
    { what: 'the node binary', path: process.execPath, hint: 'run imafs with a node elsewhere' },
    { what: 'imafs itself', path: PACKAGE, hint: 'install imafs elsewhere' },
    {
      what: 'the state directory',
      path: stateDirectory,
      hint: 'choose a directory elsewhere: -o state=DIR',
    },
    ...(auditFile === undefined
      ? []
      : [
          {
            what: 'the audit file',
            path: auditFile,
            hint: 'choose a file elsewhere: -o audit=FILE',
          },
        ]),
  ].filter(({ path }) => isBelow(realPath(path), mountpoint));
  if (needed.length === 0) return;
  throw new UserError(
    EXIT.badPath,
    'bad-mountpoint',
    `a mount on ${mountpoint} would cover what its daemon needs: ${needed
      .map(({ what, path }) => `${what} (${path})`)
      .join(', ')}`,
    needed.map(({ hint }) => hint),
  );
}

/** Without symlinks, as far as the path is there yet. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(realPath(parent), basename(path));
  }
}
