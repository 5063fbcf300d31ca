/** Labels and signatures through a live mount: by the command line, and by the control file `label`. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

import { PROTECTED, useImafs } from '../helpers/imafs.js';
import { labelFor, labelOf } from '../helpers/label.js';
import { verb } from '../helpers/verb.js';
import { transcript } from '../unit/cli/transcript.js';

const work = mkdtempSync(join(tmpdir(), 'imafs-mount-label-'));
const key = join(work, 'key');
const keys = join(work, 'keys');
mkdirSync(keys);
execFileSync('openssl', ['genrsa', '-out', key, '2048'], { stdio: 'ignore' });
execFileSync(
  'openssl',
  [
    'req',
    '-x509',
    '-new',
    '-key',
    key,
    '-subj',
    '/CN=x',
    '-outform',
    'der',
    '-out',
    `${keys}/x.der`,
  ],
  { stdio: 'ignore' },
);
after(() => {
  rmSync(work, { recursive: true, force: true });
});

const imafs = useImafs({
  policy: [`appraise fowner=${PROTECTED}`],
  options: { keys },
});

/** The whole security.ima of a signature of `content`, made where no mount is. */
async function signatureOf(content: string): Promise<string> {
  const path = join(work, 'elsewhere');
  writeFileSync(path, content);
  assert.equal((await transcript(`label sign --key ${key} ${path}`)).exit, 0);
  return labelOf(path) ?? '';
}

/** Writes a line to `label` of the writer's own namespace: what the shell says of it. */
async function labelLine(system: typeof imafs.system, line: string): Promise<string> {
  // A shell's own echo says I/O error whatever the errno is.
  const command = `/bin/echo '${line}' > ${imafs.control('self/label')}`;
  return (await system.run(['sh', '-c', command])).stderr;
}

imafs.test('sig writes a signature that was made elsewhere, and the file passes', async () => {
  const file = imafs.put('elsewhere', 'text', { label: 'none' });
  assert.deepEqual(await imafs.system.xt(`open r ${file}`), ['open=EACCES']);
  const signature = await signatureOf('text');
  assert.equal(await labelLine(imafs.system, `sig ${signature} /elsewhere`), '');
  assert.equal(labelOf(imafs.behind('elsewhere')), signature);
  assert.deepEqual(await imafs.system.xt(`open r ${file}`), ['open=ok']);
  const stale = await signatureOf('other');
  assert.equal(await labelLine(imafs.system, `sig ${stale} /elsewhere`), '');
  assert.deepEqual(await imafs.system.xt(`open r ${file}`), ['open=EACCES']);
});

imafs.test('sig takes no digest, no symlink, no file with a writer', async () => {
  const file = imafs.put('refused', 'text');
  const signature = await signatureOf('text');
  assert.match(
    await labelLine(imafs.system, `sig ${labelFor('text')} /refused`),
    /Invalid argument/,
  );
  await imafs.system.ok(['ln', '-s', 'refused', imafs.at('link')]);
  assert.match(await labelLine(imafs.system, `sig ${signature} /link`), /symbolic links/);
  const command = `exec 5>>${file}; /bin/echo 'sig ${signature} /refused' > ${imafs.control('self/label')}`;
  assert.match((await imafs.system.run(['sh', '-c', command])).stderr, /Text file busy/);
  assert.equal(labelOf(imafs.behind('refused')), labelFor('text'));
});

imafs.test("a namespace's root writes no signature over one that is there", async () => {
  const container = await imafs.activated(['audit fowner=0']);
  imafs.put('shared', 'text', { label: await signatureOf('text') });
  const other = await signatureOf('other');
  assert.match(await labelLine(container, `sig ${other} /shared`), /not permitted/);
  assert.equal(labelOf(imafs.behind('shared')), await signatureOf('text'));
});

imafs.test(
  'label sign reads through the mount, so what is refused needs a label first',
  async () => {
    imafs.put('tree/one', 'one', { label: 'none' });
    const sign = (): ReturnType<typeof verb> =>
      verb(imafs.system, 'label', 'sign', '--key', key, '-r', imafs.at('tree'));
    const refused = await sign();
    assert.equal(refused.exit, 3);
    assert.match(String(refused.lines[0]?.['message']), /^EACCES: .* label hash first/);
    assert.equal((await verb(imafs.system, 'label', 'hash', '-r', imafs.at('tree'))).exit, 0);
    const signed = await sign();
    assert.deepEqual([signed.exit, signed.lines[0]?.['result']], [0, 'labelled']);
    assert.equal(labelOf(imafs.behind('tree/one')), await signatureOf('one'));
    assert.equal((await sign()).lines[0]?.['result'], 'unchanged');
    const words = ['verify', '--keys', keys, '--signed', '-r', imafs.at('tree')];
    const verified = await verb(imafs.system, ...words);
    assert.deepEqual([verified.exit, verified.lines[0]?.['result']], [0, 'ok']);
  },
);

imafs.test('a dry run on a mount says what the daemon would write', async () => {
  imafs.put('dry', 'dry', { label: labelFor('old') });
  await imafs.system.ok(['chown', 'root', imafs.at('dry')]);
  const { exit, lines } = await verb(imafs.system, 'label', 'hash', '-n', imafs.at('dry'));
  assert.deepEqual([exit, lines[0]?.['result']], [0, 'labelled']);
  assert.equal(lines[0]?.['digest'], `sha256:${labelFor('dry').slice(4)}`);
  assert.equal(labelOf(imafs.behind('dry')), labelFor('old'));
});

imafs.test('a name of any bytes is labelled by the daemon too', async () => {
  imafs.put('odd/plain', 'odd', { label: 'none' });
  const rename = `mv ${imafs.behind('odd')}/plain ${imafs.behind('odd')}/"$(printf '\\377 \\303')"`;
  execFileSync('sh', ['-c', rename]);
  const { exit, lines } = await verb(imafs.system, 'label', 'hash', '-r', imafs.at('odd'));
  assert.deepEqual([exit, lines.at(-1)?.['done']], [0, 1]);
  assert.equal(lines[0]?.['digest'], `sha256:${labelFor('odd').slice(4)}`);
});
