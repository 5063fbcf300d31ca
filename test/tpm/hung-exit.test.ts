import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { TestSwtpm } from '../helpers/swtpm.js';

const modules = new URL('../../src/tpm/', import.meta.url).href;

/** Reads a PCR until its TPM does not answer, then ends by itself or by process.exit(). */
const program = (tcti: string, end: string): string => `
  const { parseTcti } = await import('${modules}tcti.js');
  const { openTss } = await import('${modules}tss.js');
  const tpm = await openTss(parseTcti('${tcti}').value, { deadlineMs: 300 });
  process.stdout.write('open');
  for (let answers = true; answers; ) {
    await tpm.read(10).catch(() => (answers = false));
  }
  await tpm.close();
  ${end}
`;

for (const end of ['', 'process.exit(0);']) {
  test(`a TPM that hangs keeps no process from ending${end && ', by process.exit()'}`, async () => {
    const swtpm = await TestSwtpm.start();
    const file = join(swtpm.directory, 'program.mjs');
    writeFileSync(file, program(swtpm.tcti, end));
    const child = spawn(process.execPath, [file], {
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: 15_000,
      killSignal: 'SIGTERM',
    });
    await once(child.stdout, 'data');
    swtpm.signal('SIGSTOP');
    // Its own doing: node itself would wait for the thread.
    assert.deepEqual(await once(child, 'exit'), [null, 'SIGKILL']);
  });
}
