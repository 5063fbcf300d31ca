import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLog } from '../../src/base/log.js';
import { type OwnSwtpm, startSwtpm } from '../../src/tpm/swtpm.js';
import { type Tpm, TpmFailed } from '../../src/tpm/tpm.js';
import { startup, TPM_RC_SUCCESS, TPM_SU_CLEAR } from '../../src/tpm/tpm-command.js';
import { openTss } from '../../src/tpm/tss.js';

const PCR = 10;
const CHILD = 'IMAFS_TEST_SWTPM_DIRECTORY';
const LIMIT_MS = 20_000;

const log = createLog('silent');

const start = async (directory: string): Promise<{ swtpm: OwnSwtpm; tpm: Tpm }> => {
  const swtpm = await startSwtpm(directory, log);
  // What a failed test leaves would keep this process alive.
  after(() => swtpm.stop());
  const tpm = await openTss(swtpm.tcti);
  after(() => tpm.close());
  return { swtpm, tpm };
};

const newDirectory = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'imafs-own-swtpm-'));
  after(() => rmSync(directory, { recursive: true }));
  return directory;
};

const sha256 = async (tpm: Tpm): Promise<string> =>
  Buffer.from((await tpm.read(PCR)).get('sha256') ?? []).toString('hex');

const extend = (tpm: Tpm, fd: number): Promise<void> =>
  tpm.extend({
    pcr: PCR,
    digests: [20, 32, 48, 64].map((length) => new Uint8Array(length).fill(1)),
    journal: { fd, bytes: Buffer.from('entry\n') },
  });

const until = async (what: string, isSo: () => boolean | Promise<boolean>): Promise<void> => {
  const limit = performance.now() + LIMIT_MS;
  while (!(await isSo())) {
    assert.ok(performance.now() < limit, what);
    await sleep(5);
  }
};

const lives = (pid: number): boolean => existsSync(`/proc/${pid}`);

/** This file as a child: starts a swtpm, tells its pid, and waits to be killed. */
const directoryOfChild = process.env[CHILD];
if (directoryOfChild !== undefined) {
  const swtpm = await startSwtpm(directoryOfChild, log);
  process.send?.(swtpm.pid);
} else {
  const journal = openSync('/dev/null', 'a');
  after(() => closeSync(journal));

  test('an orderly stop keeps the PCRs, and the reset count stands', async () => {
    const directory = newDirectory();
    const first = await start(directory);
    await extend(first.tpm, journal);
    const value = await sha256(first.tpm);
    const count = await first.tpm.resetCount();
    assert.notEqual(value, '00'.repeat(32));
    await first.tpm.close();
    const { pid } = first.swtpm;
    await first.swtpm.stop();
    assert.ok(pid !== undefined && !lives(pid));

    const second = await start(directory);
    assert.equal(await sha256(second.tpm), value);
    assert.equal(await second.tpm.resetCount(), count);
    await second.tpm.close();
    await second.swtpm.stop();
  });

  test('what it keeps, and its sockets, are for its user alone', async () => {
    const directory = newDirectory();
    const swtpm = await startSwtpm(join(directory, 'tpm'), log);
    const mode = (name: string) => statSync(join(directory, 'tpm', name)).mode & 0o777;
    assert.equal(mode('.'), 0o700);
    assert.equal(mode('sock'), 0o600);
    assert.equal(mode('sock.ctrl'), 0o600);
    assert.equal(mode('tpm2-00.permall'), 0o600);
    await swtpm.stop();
  });

  test('one that dies is started again, and its PCRs have begun anew', async () => {
    const { swtpm, tpm } = await start(newDirectory());
    await extend(tpm, journal);
    const count = await tpm.resetCount();
    const { pid } = swtpm;
    assert.ok(pid !== undefined);
    process.kill(pid, 'SIGKILL');
    await until('it is started again', () =>
      tpm.reconnect().then(
        () => true,
        () => false,
      ),
    );
    assert.notEqual(swtpm.pid, pid);
    assert.notEqual(await tpm.resetCount(), count);
    assert.equal(await sha256(tpm), '00'.repeat(32));
    await tpm.close();
    await swtpm.stop();
  });

  test('one that a client starts before we do is left running', async () => {
    const directory = newDirectory();
    const errors: unknown[] = [];
    const noting = Object.assign(createLog('silent'), {
      error: (...what: unknown[]) => errors.push(what),
    });
    const swtpm = await startSwtpm(directory, noting);
    let deaths = 0;
    for (let answer = -1; answer !== TPM_RC_SUCCESS; deaths += 1) {
      const { pid } = swtpm;
      assert.ok(pid !== undefined && deaths < 20, 'we are always faster');
      process.kill(pid, 'SIGKILL');
      await until('it is gone', () => !lives(pid));
      for (answer = -1; answer < 0; ) {
        answer = await startup(join(directory, 'sock'), TPM_SU_CLEAR, LIMIT_MS).catch(() => -1);
      }
    }
    await swtpm.stop();
    assert.equal(errors.length, deaths, 'that one ended, and nothing else');
  });

  test('it dies with the process that started it, even by SIGKILL', async () => {
    const directory = newDirectory();
    const child = fork(process.argv[1]!, { env: { ...process.env, [CHILD]: directory } });
    const [pid] = (await once(child, 'message')) as [number];
    assert.ok(lives(pid));
    child.kill('SIGKILL');
    await once(child, 'exit');
    await until('swtpm is gone', () => !lives(pid));
  });

  test('a second one in the same directory is refused', async () => {
    const directory = newDirectory();
    const swtpm = await startSwtpm(directory, log);
    await assert.rejects(startSwtpm(directory, log), TpmFailed);
    const tpm = await openTss(swtpm.tcti);
    await extend(tpm, journal);
    await tpm.close();
    await swtpm.stop();
  });

  test('a directory whose path no socket can have gets its sockets elsewhere', async () => {
    const directory = join(newDirectory(), 'a,b', 'x'.repeat(120));
    const first = await start(directory);
    assert.match(first.tpm.name, /^swtpm:path=\/run\/imafs\/[0-9a-f]{16}\/sock$/);
    await first.tpm.close();
    await first.swtpm.stop();
    const second = await start(directory);
    assert.equal(second.tpm.name, first.tpm.name);
    await second.tpm.close();
    await second.swtpm.stop();
    rmSync(first.tpm.name.replace(/^swtpm:path=|\/sock$/g, ''), { recursive: true });
  });

  test('a missing swtpm is an error that names the package', async () => {
    const { PATH } = process.env;
    const tools = newDirectory();
    process.env['PATH'] = tools;
    const { symlinkSync } = await import('node:fs');
    for (const name of ['setpriv', 'sh']) symlinkSync(`/usr/bin/${name}`, join(tools, name));
    try {
      await assert.rejects(startSwtpm(newDirectory(), log), /Debian package swtpm/);
    } finally {
      process.env['PATH'] = PATH;
    }
  });
}
