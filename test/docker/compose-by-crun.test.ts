/** The scripts, policies and rights of docker/compose.yaml at work. The tests go on from one another. */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { describeOutcome } from '../helpers/running.js';
import { ComposeByCrun } from './compose-by-crun.js';

const FILES = '/srv/imafs/files';
const CONTROL = `${FILES}/.ima`;
const APPLICATIONS = ['everything', 'programs'] as const;
const LIBEXEC = '/usr/local/libexec/imafs';
const DEADLINE = { timeout: 60_000 };

describe('docker/compose.yaml, run by crun', () => {
  let compose: ComposeByCrun;
  before(async () => {
    compose = await ComposeByCrun.start();
  }, DEADLINE);
  after(() => compose.stop(), DEADLINE);

  /** What an application told about the files. */
  const told = async (name: string): Promise<string[]> => {
    await compose.container(name).printed('done');
    return compose.container(name).stdout.trim().split('\n').slice(0, -1);
  };
  const numberOf = async (name: string): Promise<string> => {
    const link = await compose.machine.ok(['readlink', `/proc/${await compose.pid(name)}/ns/mnt`]);
    return /\d+/.exec(link)?.[0] ?? '';
  };
  /** What was printed by a command in the container. */
  const inside = async (name: string, ...words: string[]): Promise<string> => {
    const { stdout, stderr } = await compose.exec(name, words);
    return (stdout + stderr).trim();
  };

  /** Replays the list of a container's namespace; its SHA-256 PCR. */
  const verify = async (name: string): Promise<string> => {
    const words = ['imafs', 'log', 'verify', '--ns', await numberOf(name), FILES];
    const outcome = await compose.exec('imafs', words);
    assert.equal(outcome.exit, 0, describeOutcome(words, outcome));
    return /^sha256 +PCR 10: matches .* ([0-9a-f]{64})$/m.exec(outcome.stdout)?.[1] ?? '';
  };

  test('one container refuses what the other one reads', DEADLINE, async () => {
    for (const name of APPLICATIONS) await compose.up(name);
    assert.deepEqual(await told('everything'), [
      'read changed.txt: refused',
      'read labelled.txt: ok',
      'read unlabelled.txt: refused',
      'run changed.sh: refused',
      'run labelled.sh: ok',
      'run unlabelled.sh: refused',
    ]);
    assert.deepEqual(await told('programs'), [
      'read changed.txt: ok',
      'read labelled.txt: ok',
      'read unlabelled.txt: ok',
      'run changed.sh: refused',
      'run labelled.sh: ok',
      'run unlabelled.sh: refused',
    ]);
  });

  test('each has a namespace of its own, with its rules and its list', DEADLINE, async () => {
    const numbers = await Promise.all(APPLICATIONS.map(numberOf));
    const listed = await inside('imafs', 'cat', `${CONTROL}/namespaces`);
    // The system's own is the daemon's.
    assert.deepEqual(listed.split('\n').sort(), [await numberOf('imafs'), ...numbers].sort());
    const shown = (await inside('imafs', `${LIBEXEC}/show-lists.sh`)).split(/^(?=namespace )/m);
    const linesOf = (number: string): string[] =>
      (shown.find((part) => part.startsWith(`namespace ${number}: `)) ?? '').split('\n');
    const rulesOf = (number: string): string[] =>
      linesOf(number).flatMap((line) => /^ {2}rule {2}(appraise.*\S)/.exec(line)?.[1] ?? []);
    const measured = (number: string): string[] =>
      linesOf(number).flatMap((line) => /^ {2}list .*[ /](\S+)$/.exec(line)?.[1] ?? []);
    assert.deepEqual(numbers.map(rulesOf), [
      ['appraise fowner=1000'],
      ['appraise func=BPRM_CHECK fowner=1000'],
    ]);
    assert.deepEqual(numbers.map(measured), [
      // A program that the first hook refuses never comes to the second, which would measure it.
      ['boot_aggregate', 'changed.txt', 'labelled.txt', 'unlabelled.txt', 'labelled.sh'],
      ['boot_aggregate', 'changed.sh', 'labelled.sh', 'unlabelled.sh'],
    ]);
  });

  test('each list is in its PCR, that of the system in the swtpm', DEADLINE, async () => {
    const tpm = await inside('imafs', 'cat', `${CONTROL}/self/tpm`);
    assert.equal(tpm, 'swtpm:path=/run/swtpm/tpm.sock');
    for (const name of ['imafs', ...APPLICATIONS]) await verify(name);
  });

  test('the audit file names the namespace that was refused', DEADLINE, async () => {
    const audit = await inside('imafs', 'cat', '/var/lib/imafs/audit.log');
    const refused = audit.split('\n').filter((line) => line.includes('unlabelled.txt'));
    assert.notEqual(refused.length, 0);
    const everything = await numberOf('everything');
    for (const line of refused) assert.match(line, new RegExp(`mnt_ns=${everything}\\b`));
  });

  test('an application keeps no capability, and its policy stays', DEADLINE, async () => {
    for (const name of APPLICATIONS) {
      const status = await compose.machine.ok(['cat', `/proc/${await compose.pid(name)}/status`]);
      assert.match(status, /^Uid:\t1000\t1000\t1000\t1000$/m);
      assert.match(status, /^CapPrm:\t0+$/m);
      assert.match(status, /^CapBnd:\t0+$/m);
      assert.match(status, /^NoNewPrivs:\t1$/m);
    }
    const asApplication = (words: string): string[] => [
      ...['setpriv', '--reuid', '1000', '--regid', '1000', '--clear-groups', '--'],
      ...['sh', '-c', words],
    ];
    const rule = `echo dont_appraise > ${CONTROL}/policy`;
    assert.match(await inside('everything', ...asApplication(rule)), /Permission denied/);
  });

  test("neither reaches the other's namespace", DEADLINE, async () => {
    const [everything = '', programs = ''] = await Promise.all(APPLICATIONS.map(numberOf));
    const read = ['cat', `${CONTROL}/${everything}/policy`];
    assert.match(await inside('programs', ...read), /Permission denied/);
    assert.match(await inside('everything', ...read), /^appraise /m);
    assert.equal(await inside('programs', 'cat', `${CONTROL}/namespaces`), programs);
  });

  test('an application whose policy is refused never runs', DEADLINE, async () => {
    const broken = join(compose.root, 'broken.policy');
    writeFileSync(broken, 'appraise fowner=somebody\n');
    const mounts = compose
      .service('programs')
      .mounts.map((it) => (it.target === '/etc/imafs.policy' ? { ...it, source: broken } : it));
    await compose.up('programs', { mounts }, 'broken');
    const { exit, stdout, stderr } = await compose.container('broken').ended;
    assert.deepEqual([exit, stdout], [1, '']);
    assert.match(stderr, /Invalid argument/);
  });

  test('a killed daemon: nobody reads; the next one clears the mount', DEADLINE, async () => {
    await compose.kill('imafs', 'KILL');
    const read = ['cat', `${FILES}/labelled.txt`];
    for (const name of APPLICATIONS) {
      assert.match(await inside(name, ...read), /not connected/);
    }
    await compose.up('imafs');
    await compose.healthy('imafs');
    for (const name of APPLICATIONS) {
      assert.equal(await inside(name, ...read), 'text of labelled.txt');
    }
  });

  test('what the daemon extended is in the swtpm, whoever asks it', DEADLINE, async () => {
    const extended = await verify('imafs');
    assert.notEqual(extended, '');
    // It serves one at a time.
    const { exit } = await compose.kill('imafs', 'TERM');
    assert.equal(exit, 0);
    const socket = join(compose.find('swtpm-socket'), 'tpm.sock');
    const words = ['tpm2_pcrread', '-T', `swtpm:path=${socket}`, 'sha256:10'];
    const read = await compose.machine.ok(words);
    assert.equal(/0x([0-9A-F]{64})/.exec(read)?.[1]?.toLowerCase(), extended);
  });

  test('a stopped daemon leaves nothing to be read unjudged', DEADLINE, async () => {
    for (const name of APPLICATIONS) {
      assert.equal(await inside(name, 'ls', '-A', FILES), '');
    }
  });

  test('a mountpoint that holds files is refused', DEADLINE, async () => {
    const below = join(compose.find('/srv/imafs'), 'files', 'unjudged');
    mkdirSync(below);
    await compose.up('imafs');
    const { exit, stderr } = await compose.container('imafs').ended;
    assert.equal(exit, 6);
    assert.match(stderr, /imafs: \/srv\/imafs\/files is not empty/);
    rmSync(below, { recursive: true });
  });

  test('nothing is left', DEADLINE, async () => {
    assert.deepEqual(await compose.down(), []);
  });
});
