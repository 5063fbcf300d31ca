import assert from 'node:assert/strict';
import { describe } from 'node:test';

import { PROTECTED, useImafs } from '../helpers/imafs.js';
import { program } from '../helpers/programs.js';

const ROUNDS = Number(process.env['IMAFS_TEST_EXEC_ROUNDS'] ?? 10_000);

describe(`what was written and closed is executed at once, ${ROUNDS} rounds`, () => {
  const imafs = useImafs({ policy: [`appraise fowner=${PROTECTED}`] });

  for (const how of ['same', 'new']) {
    imafs.test(
      `${how === 'same' ? 'one file rewritten' : 'a new file each time'}: no spurious refusal`,
      async () => {
        imafs.put('directory/keep', '');
        await imafs.system.ok(['chown', String(PROTECTED), imafs.at('directory')]);
        const words = [
          program('rounds'),
          how,
          program('exit-good'),
          imafs.at('directory'),
          String(ROUNDS / 2),
        ];
        const outcome = await imafs.system.run(words, { uid: PROTECTED, timeoutMs: 300_000 });
        assert.equal(outcome.stdout, `rounds=${ROUNDS / 2} spurious=0\n`);
      },
      { timeout: 300_000 },
    );
  }
});
