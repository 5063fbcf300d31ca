import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFailure } from '../../../src/cli/start-failure.js';
import { StartProblem } from '../../../src/daemon-options.js';

for (const [about, exit, code] of [
  ['system-namespace', 1, 'system-namespace'],
  ['hash', 1, 'bad-mount-option'],
  ['audit', 2, 'bad-audit'],
  ['state', 2, 'bad-state'],
  ['policy', 7, 'policy-invalid'],
] as const) {
  test(`a problem with the ${about} has exit code ${exit}`, () => {
    const failure = startFailure(new StartProblem(about, 'what is wrong'));
    assert.deepEqual([failure.exit, failure.code], [exit, code]);
    assert.match(failure.message, /what is wrong/);
    assert.ok(failure.hints.length > 0);
  });
}

for (const [errno, exit, code] of [
  ['EPERM', 10, 'missing-capability'],
  ['ENODEV', 10, 'missing-device'],
  ['EEXIST', 6, 'bad-backing'],
  ['EIO', 2, 'start-failed'],
] as const) {
  test(`${errno} of the mount has exit code ${exit}`, () => {
    const failure = startFailure(Object.assign(new Error('mount'), { code: errno }));
    assert.deepEqual([failure.exit, failure.code], [exit, code]);
  });
}
