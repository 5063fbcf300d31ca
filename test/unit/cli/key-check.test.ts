import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { CA, Certificates } from '../../helpers/certificates.js';
import { jsonLines, transcript } from './transcript.js';

const made = new Certificates();
after(() => made.remove());
made.make('ca', { extensions: CA, subject: '/O=Acme/CN=Root' });
made.make('leaf', { issuer: 'ca' });
made.make('expired', { issuer: 'ca', days: -1 });
made.make('rogue', { extensions: ['subjectKeyIdentifier=hash'] });
const directory = mkdtempSync(join(made.directory, 'dir-'));
for (const name of ['ca.pem', 'leaf.der']) copyFileSync(made.path(name), join(directory, name));

const check = (...words: string[]) => transcript(['key check', ...words].join(' '));

test('against keys=DIR: each certificate, all reasons, the remedies, and exit code 8', async () => {
  const files = ['leaf.pem', 'rogue.pem', 'ca.der'].map((name) => made.path(name));
  const shown = await check('--keys', directory, ...files);
  assert.equal(shown.exit, 8);
  assert.match(shown.stderr, /^imafs: 1 of 3 refused\n$/);
  const [leaf, rogue, ...rest] = shown.stdout.split('\n');
  assert.match(leaf ?? '', /leaf\.pem: admitted [0-9a-f]{8} leaf: [0-9a-f]{40} \(EC prime256v1\)$/);
  assert.match(rogue ?? '', /rogue\.pem: refused [0-9a-f]{8} rogue: /);
  assert.match(
    rest.join('\n'),
    new RegExp(
      '^ {2}ENOKEY: it does not say what its key is for \\(keyUsage\\)\n' +
        ' {4}remedy: .*keyUsage=digitalSignature\n' +
        ' {2}ENOKEY: no CA of the system keyring issued it\n' +
        ' {4}remedy: have it signed by one of: Acme: Root: [0-9a-f]{40}\n' +
        '.*ca\\.der: admitted .*\n' +
        ' {2}note: it is a CA of the system keyring: it vouches for keys\n$',
    ),
  );
});

test('as JSON', async () => {
  const shown = await check(
    '--json',
    '--keys',
    directory,
    made.path('leaf.pem'),
    made.path('rogue.der'),
  );
  const [leaf, rogue, error] = jsonLines(shown);
  const { type, schema, file, keyId, description, algorithm, admitted, reasons } = leaf ?? {};
  assert.deepEqual(
    [type, schema, file, algorithm, admitted, reasons],
    ['key', 'imafs.key-check/1', made.path('leaf.pem'), 'EC prime256v1', true, []],
  );
  assert.ok(String(description).endsWith(String(keyId)));
  const [first] = rogue?.['reasons'] as Record<string, string>[];
  assert.deepEqual([rogue?.['admitted'], first?.['errno']], [false, 'ENOKEY']);
  assert.deepEqual(
    [error?.['type'], error?.['code'], error?.['exit']],
    ['error', 'key-refused', 8],
  );
});

test('without a CA to ask the certificates themselves are checked, and that is said', async () => {
  const shown = await check(made.path('rogue.pem'));
  assert.equal(shown.exit, 0);
  assert.match(shown.stderr, /there is no CA to have issued them/);
});

test('an expired certificate is admitted with a note', async () => {
  const shown = await check('--keys', directory, made.path('expired.pem'));
  assert.equal(shown.exit, 0);
  assert.match(shown.stdout, /\n {2}note: it expired on 20\d\d-\d\d-\d\d; like the kernel/);
});

test('what is no certificate, no file, no directory, or two grounds at once', async () => {
  const garbage = made.path('garbage');
  writeFileSync(garbage, 'no certificate');
  const shown = await check(garbage);
  assert.equal(shown.exit, 8);
  assert.match(shown.stdout, /garbage: refused\n {2}EBADMSG: no certificate: .*\n {4}remedy: /);
  assert.equal((await check('/nowhere/x.pem')).exit, 8);
  const bad = await check('--keys', '/nowhere', garbage);
  assert.equal(bad.exit, 8);
  assert.match(bad.stderr, /\/nowhere cannot be read: ENOENT/);
  assert.equal((await check('--keys', directory, '--mount', '/', garbage)).exit, 1);
  assert.equal((await check('--mount', made.directory, garbage)).exit, 5);
});
