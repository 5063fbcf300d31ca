import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { architectureProblems } from './architecture.js';

/** The project, seen from dist/test. */
const root = fileURLToPath(new URL('../../', import.meta.url));

test('imports go in the allowed directions, each door is one file, native/ knows no IMA', () => {
  assert.deepEqual(architectureProblems(root), []);
});

test('the check can fail: the fixture breaks each rule once, and each is found', () => {
  const problems = architectureProblems(`${root}test/architecture-fixture`);
  const expected = [
    'src/cli/reads-addon.ts imports ../binding/addon.js: the command line talks',
    'src/cli/reads-addon.ts uses errno numbers: only base/errno.ts may',
    'src/cli/reads-addon.ts uses process.exit: only main.ts may',
    'src/gate/prints.ts uses stdout: only cli/output.ts, main.ts may',
    'src/gate/prints.ts uses the .node file: only binding/addon.ts may',
    'src/ima/impure.ts imports node:fs: src/ima is pure',
    'src/ima/impure.ts imports ../binding/addon.js: src/ima is pure',
    "src/new-part/unknown.ts: 'new-part' has no rule",
    'native/meaning.cpp:2 has a word of IMA',
  ];
  const unfound = expected.filter((start) => !problems.some((line) => line.startsWith(start)));
  assert.deepEqual({ unfound, count: problems.length }, { unfound: [], count: expected.length });
});
