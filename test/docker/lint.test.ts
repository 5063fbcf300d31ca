/** .ci/lint-docker passes docker/, and each of its checks can fail. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';

import { PROJECT } from '../helpers/project.js';

describe('.ci/lint-docker', () => {
  let copy = '';
  beforeEach(() => {
    copy = mkdtempSync(join(tmpdir(), 'imafs-test-'));
    cpSync(`${PROJECT}docker`, copy, { recursive: true });
  });
  afterEach(() => {
    rmSync(copy, { recursive: true });
  });

  const lint = (): { status: number | null; said: string } => {
    const { status, stdout, stderr } = spawnSync(`${PROJECT}.ci/lint-docker`, [copy], {
      encoding: 'utf8',
    });
    return { status, said: stdout + stderr };
  };
  const replace = (name: string, before: string, after: string): void => {
    const text = readFileSync(join(copy, name), 'utf8');
    assert.ok(text.includes(before), `${name} does not hold: ${before}`);
    writeFileSync(join(copy, name), text.replace(before, after));
  };
  const refused = (reason: RegExp): void => {
    const { status, said } = lint();
    assert.notEqual(status, 0);
    assert.match(said, reason);
  };

  test('passes what is there', () => {
    const { status, said } = lint();
    assert.equal(status, 0, said);
  });

  test('a script that forgets quotes', () => {
    appendFileSync(join(copy, 'scripts/show-lists.sh'), 'rm $1\n');
    refused(/SC2086/);
  });

  test('a Dockerfile with an unknown instruction, or one that is deprecated', () => {
    replace('Dockerfile', 'VOLUME /tmp', 'VOLUMES /tmp');
    refused(/Unknown instruction: VOLUMES/);
    replace('Dockerfile', 'VOLUMES /tmp', 'MAINTAINER somebody');
    refused(/MAINTAINER has been deprecated/);
  });

  test('a compose file with an unknown key, or a volume that is not there', () => {
    replace('compose.yaml', 'pid: host', 'pids: host');
    refused(/pids/);
    replace('compose.yaml', 'pids: host', 'pid: host');
    replace('compose.yaml', '\n  swtpm-state:\n', '\n');
    refused(/swtpm-state/);
  });

  test('a policy with a word that is none', () => {
    replace('policies/programs.policy', 'appraise func', 'appraises func');
    refused(/appraises/);
  });
});
