/** `imafs run`: a command under IMA in a namespace of its own, what it prints, and what it leaves. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';

import { labelFile } from '../helpers/label.js';
import { type CommandOptions, Namespace } from '../helpers/namespace.js';
import { IMAFS } from '../helpers/project.js';
import type { Outcome } from '../helpers/running.js';

interface Listed {
  readonly pcr: number;
  readonly hash: string;
  readonly template: string;
  readonly digest: string;
  readonly name: string;
  readonly violation: boolean;
  readonly line: string;
}

interface Ran {
  readonly type: string;
  readonly schema: string;
  readonly command: string[];
  readonly exit: number | null;
  readonly signal: string | null;
  readonly list: Listed[];
  readonly violations: number;
  readonly count: number;
  readonly pcrs: Record<string, Record<string, string>>;
  readonly verified: boolean;
  readonly denials: { path: string; cause: string }[];
}

const MEASURE = 'measure func=FILE_CHECK mask=MAY_READ';

describe('imafs run', () => {
  let root = '';
  let system: Namespace;
  const backing = (name = ''): string => `${root}/backing/${name}`;

  before(async () => {
    root = mkdtempSync('/tmp/imafs-test-');
    for (const name of ['backing', 'tmp']) mkdirSync(`${root}/${name}`);
    writeFileSync(backing('file'), 'text\n');
    labelFile(backing('file'));
    writeFileSync(backing('unlabelled'), 'text\n');
    writeFileSync(`${root}/measure`, `${MEASURE}\n`);
    writeFileSync(`${root}/appraise`, `appraise func=FILE_CHECK\n${MEASURE}\n`);
    system = await Namespace.start();
  });
  after(async () => {
    await system.stop();
    rmSync(root, { recursive: true });
  });

  const words = (...rest: string[]): string[] => [
    'env',
    `TMPDIR=${root}/tmp`,
    ...IMAFS,
    'run',
    ...rest,
  ];

  /** Everything that a run makes below its TMPDIR, and every process that has to do with it. */
  async function nothingIsLeft(): Promise<void> {
    assert.deepEqual(readdirSync(`${root}/tmp`), []);
    const table = await system.ok(['cat', '/proc/self/mountinfo']);
    assert.deepEqual(
      table.split('\n').filter((line) => line.includes(root)),
      [],
    );
    const running = readdirSync('/proc').filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(`${root}/`);
      } catch {
        return false;
      }
    });
    assert.deepEqual(running, []);
  }

  async function run(list: string[], options: CommandOptions = {}): Promise<[Outcome, Ran]> {
    const outcome = await system.run(words(...list), { timeoutMs: 40_000, ...options });
    const lines = outcome.stdout.split('\n');
    assert.equal(lines.length, 2, outcome.stdout + outcome.stderr);
    await nothingIsLeft();
    return [outcome, JSON.parse(lines[0] ?? '') as Ran];
  }

  test('a command that is measured and allowed: its list, in step with its own swtpm', async () => {
    const command = ['cat', backing('file')];
    const [{ exit, stderr }, ran] = await run([
      ...['-o', `policy=${root}/measure`, backing(), '--', ...command],
    ]);
    assert.deepEqual([exit, stderr], [0, 'text\n']);
    assert.deepEqual([ran.type, ran.schema, ran.command], ['run', 'imafs.run/1', command]);
    assert.deepEqual([ran.exit, ran.signal, ran.verified, ran.violations], [0, null, true, 0]);
    const [boot, file, ...more] = ran.list;
    assert.equal(more.length, 0);
    assert.deepEqual([boot?.name, boot?.pcr, ran.count], ['boot_aggregate', 10, 2]);
    const digest = createHash('sha256').update('text\n').digest('hex');
    assert.deepEqual(
      [file?.name, file?.digest, file?.template, file?.violation],
      [backing('file'), `sha256:${digest}`, 'ima-ng', false],
    );
    assert.equal(file?.line, `10 ${file?.hash} ima-ng sha256:${digest} ${backing('file')}`);
    const replayed = ran.list.reduce<Buffer>(
      (value, { hash }) => createHash('sha1').update(value).update(hash, 'hex').digest(),
      Buffer.alloc(20),
    );
    assert.equal(ran.pcrs['sha1']?.['10'], replayed.toString('hex'));
    assert.match(ran.pcrs['sha256']?.['10'] ?? '', /^[0-9a-f]{64}$/);
    assert.deepEqual(ran.denials, []);
  });

  test('a refusal is exit code 4, and its denial is printed', async () => {
    const [{ exit }, ran] = await run([
      ...['--json', '-o', `tpm=none,policy=${root}/appraise`, backing(), '--'],
      ...['cat', backing('file'), backing('unlabelled')],
    ]);
    assert.deepEqual([exit, ran.exit], [4, 1]);
    assert.deepEqual(
      ran.denials.map(({ path, cause }) => [path, cause]),
      [[backing('unlabelled'), 'missing-hash']],
    );
  });

  for (const [what, command, status] of [
    ['fails', ['sh', '-c', 'exit 7'], { exit: 7, signal: null }],
    ['is killed', ['sh', '-c', 'kill -9 $$'], { exit: null, signal: 'SIGKILL' }],
    ['is not there', ['/nowhere/command'], { exit: 127, signal: null }],
  ] as const) {
    test(`a command that ${what} is exit code 3, and how is told`, async () => {
      const [{ exit: code }, ran] = await run(['-o', 'tpm=none', backing(), '--', ...command]);
      const { exit, signal } = ran;
      assert.equal(code, 3);
      assert.deepEqual({ exit, signal }, status);
    });
  }

  test('a working directory below the backing is the protected one', async () => {
    const [{ exit, stderr }, ran] = await run(
      ['-o', `tpm=none,policy=${root}/appraise`, '.', '--', 'sh', '-c', 'pwd; cat unlabelled'],
      { cwd: backing() },
    );
    assert.equal(exit, 4);
    assert.match(stderr, new RegExp(`^${root}/backing\n`));
    assert.equal(ran.denials[0]?.path, backing('unlabelled'));
  });

  test('any other working directory is kept, and standard input is the command’s', async () => {
    const [{ exit, stderr }] = await run(
      ['-o', 'tpm=none', backing(), '--', 'sh', '-c', 'pwd; cat'],
      {
        cwd: '/usr/share',
        stdin: 'from outside',
      },
    );
    assert.deepEqual([exit, stderr], [0, '/usr/share\nfrom outside']);
  });

  test('what the command leaves running goes, and what it did is in the list', async () => {
    const script = `cat ${backing('file')}; exec sleep 1000 < ${backing('unlabelled')} &`;
    const [{ exit }, ran] = await run([
      ...['-o', `tpm=none,policy=${root}/measure`, backing(), '--', 'sh', '-c', script],
    ]);
    assert.equal(exit, 0);
    assert.ok(ran.list.some(({ name }) => name === backing('file')));
  });

  test('the mount and what is protected are nobody else’s', async () => {
    const [{ exit }] = await run([
      ...['-o', `tpm=none,policy=${root}/appraise`, backing(), '--'],
      ...['nsenter', '-t', String(system.agentPid), '-m', 'cat', backing('unlabelled')],
    ]);
    assert.equal(exit, 0);
  });

  test('what cannot be started says why, and leaves nothing', async () => {
    writeFileSync(`${root}/bad`, 'measure nonsense=1\n');
    for (const [list, expected, code] of [
      [['-o', `policy=${root}/bad`, backing()], 7, 'policy-invalid'],
      [['-o', 'tpm=none', `${root}/none`], 6, 'no-such-path'],
      [['-o', 'tpm=none', `${root}/bad`], 6, 'bad-backing'],
      [['-o', 'tpm=none,nonsense=1', backing()], 1, 'unknown-mount-option'],
      [['-o', 'tpm=none,ima_appraise=enforce', backing()], 1, 'bad-mount-option'],
      [['-o', 'tpm=none,audit=/nowhere/log', backing()], 2, 'bad-audit'],
      [['-o', 'tpm=device:/dev/null/none', backing()], 9, 'tpm'],
    ] as const) {
      const { exit, stdout } = await system.run(words('--json', ...list, '--', 'true'));
      const error = JSON.parse(stdout) as { code: string };
      assert.deepEqual([exit, error.code], [expected, code], stdout);
      await nothingIsLeft();
    }
  });

  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    test(`${signal} is passed on to the command, and all is taken down`, async () => {
      const script = `trap 'exit 5' ${signal.slice(3)}; echo started; while :; do sleep 0.05; done`;
      const running = system.start(words('-o', 'tpm=none', backing(), '--', 'sh', '-c', script));
      await running.until(() => running.stderr.includes('started'), 'start', 20_000);
      // To imafs alone, whose pid env gave it.
      process.kill(await running.pid, signal);
      const { exit, stdout } = await running.ended;
      assert.equal(exit, 3);
      assert.equal((JSON.parse(stdout) as Ran).exit, 5);
      await nothingIsLeft();
    });
  }

  test('a second signal ends a command that does not obey', async () => {
    const script = "trap '' TERM; echo started; while :; do sleep 0.05; done";
    const running = system.start(words('-o', 'tpm=none', backing(), '--', 'sh', '-c', script));
    await running.until(() => running.stderr.includes('started'), 'start', 20_000);
    const pid = await running.pid;
    process.kill(pid, 'SIGTERM');
    // Two of the same kind that are pending at once are one.
    const caught = (): boolean =>
      !/^ShdPnd:\s*0*4000$/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
    while (!caught()) await new Promise(setImmediate);
    process.kill(pid, 'SIGTERM');
    const { exit, stdout } = await running.ended;
    assert.deepEqual([exit, (JSON.parse(stdout) as Ran).signal], [3, 'SIGKILL']);
    await nothingIsLeft();
  });

  test('a daemon that dies is told, and what it left is taken away', async () => {
    const script = 'echo started; read -r line';
    const running = system.start(words('-o', 'tpm=none', backing(), '--', 'sh', '-c', script));
    await running.until(() => running.stderr.includes('started'), 'start', 20_000);
    const table = await system.ok(['cat', '/proc/self/mountinfo']);
    const mountpoint = table
      .split('\n')
      .find((line) => line.includes(`${root}/tmp`))
      ?.split(' ')[4];
    const status = await system.ok(['cat', `${mountpoint}/.ima/self/status`]);
    const { mount } = JSON.parse(status) as { mount: { pid: number } };
    process.kill(mount.pid, 'SIGKILL');
    running.send('go on\n');
    const { exit, stdout } = await running.ended;
    assert.deepEqual([exit, stdout], [5, '']);
    await nothingIsLeft();
  });
});
