import assert from 'node:assert/strict';
import { test } from 'node:test';

import { EXIT, type ExitCode } from '../../../src/cli/exit-codes.js';
import { Output } from '../../../src/cli/output.js';
import { mountHelper, mountRequest } from '../../../src/integrations/mount-helper.js';
import { umountHelper } from '../../../src/integrations/umount-helper.js';

interface Called {
  readonly exit: number;
  /** The verb's words, if it was run. */
  readonly verb: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Calls a helper with the words of a line; the verb it runs ends with `verbExit`. */
async function call(
  helper: typeof mountHelper | typeof umountHelper,
  line: string,
  verbExit: ExitCode = EXIT.ok,
): Promise<Called> {
  let stdout = '';
  let stderr = '';
  let verb: string | undefined;
  const output = new Output('mount', false, {
    stdout: { write: (text) => void (stdout += Buffer.from(text).toString()) },
    stderr: { write: (text) => void (stderr += text) },
  });
  const runVerb = (words: readonly string[]): Promise<ExitCode> => {
    verb = words.join(' ');
    return Promise.resolve(verbExit);
  };
  const exit = await helper(line.split(' '), runVerb, output);
  return { exit, verb, stdout, stderr };
}

test('what mount(8) passes becomes a mount command, in whatever order', async () => {
  for (const line of [
    '/srv/a /mnt -o rw,policy=/p',
    '-o rw,policy=/p /srv/a /mnt',
    '/srv/a -orw,policy=/p /mnt',
    '-n -t fuse.imafs /srv/a /mnt -o rw,policy=/p',
    '-no rw,policy=/p -- /srv/a /mnt',
  ]) {
    const { exit, verb } = await call(mountHelper, line);
    assert.deepEqual([exit, verb], [0, 'mount -o rw,policy=/p -- /srv/a /mnt'], line);
  }
});

test('-r and -w are options too, and options may be repeated', async () => {
  const { verb } = await call(mountHelper, '/srv/a /mnt -o rw -o policy=/p -r');
  assert.equal(verb, 'mount -o rw -o policy=/p -o ro -- /srv/a /mnt');
  assert.equal((await call(mountHelper, '-w /a /m')).verb, 'mount -o rw -- /a /m');
});

test('-f checks without mounting', async () => {
  assert.equal((await call(mountHelper, '/a /m -f')).verb, 'mount --fake -- /a /m');
});

test('-v tells what was mounted, and nothing where it was not', async () => {
  assert.equal((await call(mountHelper, '/a /m -v')).stdout, 'imafs: /a mounted on /m.\n');
  assert.equal((await call(mountHelper, '/a /m -v', EXIT.tpm)).stdout, '');
});

test('-s ignores options that nobody knows, says so, and keeps commas where they belong', async () => {
  const tpm = 'tpm=swtpm:host=127.0.0.1,port=2321';
  const { verb, stderr } = await call(mountHelper, `/a /m -s -o ro,bogus,${tpm},b=1`);
  assert.equal(verb, `mount -o ro -o "${tpm}" -- /a /m`);
  assert.match(stderr, /'bogus' is ignored\n.*'b=1' is ignored/);
});

test('wrong use ends with 1 and says what is wrong', async () => {
  for (const [line, message] of [
    ['/srv/a /mnt -o remount,ro', /remount is not supported: umount \/mnt/],
    ['/srv/a /mnt -N 1', /-N is not supported/],
    ['/srv/a', /takes BACKING MOUNTPOINT, got 1/],
    ['/srv/a /mnt more', /got 3/],
    ['/srv/a /mnt -x', /unknown option -x/],
    ['/srv/a /mnt --bogus', /unknown option --bogus/],
    ['/srv/a /mnt -o', /-o needs a value/],
    ['LABEL=data /mnt', /LABEL=data names a device/],
  ] as const) {
    const { exit, verb, stderr } = await call(mountHelper, line);
    assert.deepEqual([exit, verb], [1, undefined], line);
    assert.match(stderr, message);
    assert.match(stderr, /usage: mount\.fuse\.imafs/);
  }
});

test('exit codes are those of mount(8)', async () => {
  for (const [code, expected] of [
    [EXIT.usage, 1],
    [EXIT.missing, 1],
    [EXIT.runtime, 32],
    [EXIT.badPath, 32],
    [EXIT.badPolicy, 32],
    [EXIT.tpm, 32],
    [EXIT.mounted, 32],
  ] as const) {
    assert.equal((await call(mountHelper, '/a /m', code)).exit, expected, `${code}`);
    assert.equal((await call(umountHelper, '/m', code)).exit, expected, `${code}`);
  }
});

test('with nofail a backing directory that is not there is no failure', async () => {
  const { exit, verb, stderr } = await call(mountHelper, '/no/such /m -o ro,nofail');
  assert.deepEqual([exit, verb], [0, undefined]);
  assert.match(stderr, /\/no\/such does not exist: nothing is mounted/);
  assert.equal((await call(mountHelper, '/no/such /m -o ro')).verb, 'mount -o ro -- /no/such /m');
});

test('an empty list of options is none', () => {
  const request = mountRequest(['/a', '/m', '-o', '']);
  assert.deepEqual(request.ok && request.value.options, []);
});

test('umount waits for the daemon', async () => {
  const { exit, verb, stdout } = await call(umountHelper, '/m -n -v -t fuse.imafs');
  assert.deepEqual([exit, verb], [0, 'umount -- /m']);
  assert.equal(stdout, 'imafs: /m unmounted\n');
});

test('umount needs one mountpoint, and knows its options', async () => {
  for (const line of ['-n', '/m /n', '/m -q']) {
    const { exit, verb } = await call(umountHelper, line);
    assert.deepEqual([exit, verb], [1, undefined], line);
  }
});
