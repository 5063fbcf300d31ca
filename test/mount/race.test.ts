/**
 * The race harness: a file is swapped behind the mount while it is read, mapped and executed through
 * it. IMAFS_TEST_RACE_ROUNDS sets the rounds (100,000 for a release, some 30 minutes); see programs/race.c.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe } from 'node:test';

import { useImafs } from '../helpers/imafs.js';
import { labelFor } from '../helpers/label.js';
import { program } from '../helpers/programs.js';

const ROUNDS = Number(process.env['IMAFS_TEST_RACE_ROUNDS'] ?? 2000);
const TIMEOUT_MS = 60_000 + ROUNDS * 20;

const MODES = {
  rename: 'unlabelled content renamed over the name is never served or run',
  create: 'unlabelled content under a name unlinked and made anew is never served or run',
  inplace: 'no open that began after a rewrite in place ended serves the new content',
} as const;

describe(`swaps behind the mount, ${ROUNDS} rounds each`, () => {
  const imafs = useImafs({ policy: ['appraise fowner=0'] });

  for (const [mode, sentence] of Object.entries(MODES)) {
    imafs.test(
      sentence,
      async () => {
        const good = program('exit-good');
        const label = labelFor(readFileSync(good));
        const words = [
          program('race'),
          mode,
          good,
          program('exit-bad'),
          label,
          imafs.behind(mode),
          imafs.at(mode),
          String(ROUNDS),
        ];
        const { stdout, exit } = await imafs.system.run(words, { timeoutMs: TIMEOUT_MS });
        process.stdout.write(`# race ${mode}: ${stdout}`);
        assert.equal(exit, 0, stdout);
        const [, served = '0'] = /served=(\d+)/.exec(stdout) ?? [];
        const [, refused = '0'] = /refused=(\d+)/.exec(stdout) ?? [];
        assert.ok(Number(served) > 0 && Number(refused) > 0, `the race raced nothing: ${stdout}`);
        assert.doesNotMatch(stdout, / (EIO|ENOSYS|ENOTCONN|ESTALE)=/);
      },
      { timeout: TIMEOUT_MS },
    );
  }
});
