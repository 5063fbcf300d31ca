/** Keyrings of namespaces on a real mount: keys=DIR, keys/ of the control tree. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe } from 'node:test';

import { parseCertificate } from '../../src/keys/certificate.js';
import { CA, Certificates } from '../helpers/certificates.js';
import { type Imafs, useImafs } from '../helpers/imafs.js';
import { digestOf } from '../helpers/label.js';
import type { Namespace } from '../helpers/namespace.js';
import { IMAFS } from '../helpers/project.js';
import { verb } from '../helpers/verb.js';

const made = new Certificates();
const directory = mkdtempSync(join(tmpdir(), 'imafs-keys-dir-'));
after(() => {
  made.remove();
  rmSync(directory, { recursive: true });
});

made.make('ca', { extensions: CA, subject: '/O=Acme/CN=Root' });
for (const name of ['leaf', 'one', 'two', 'revoked']) made.make(name, { issuer: 'ca' });
made.make('rogue');

function skid(name: string): string {
  return Buffer.from(facts(name).subjectKeyId ?? []).toString('hex');
}

function facts(name: string) {
  const parsed = parseCertificate(made.read(`${name}.der`));
  assert.ok(parsed.ok);
  return parsed.value;
}

const tbsOf = (name: string): string =>
  `tbs:${Buffer.from(facts(name).tbsDigest ?? []).toString('hex')}`;

/** A line of a keyring. */
const lineOf = (name: string, description = name): string =>
  `${skid(name).slice(-8)} ${description}: ${skid(name)}\n`;

for (const name of ['ca.pem', 'leaf.der', 'rogue.pem']) {
  copyFileSync(made.path(name), join(directory, name));
}
writeFileSync(join(directory, 'blacklist'), `${tbsOf('revoked')}\n`);

/** How `cat CERT > keys/.ima` ends: undefined, or what strerror(3) says. */
async function add(
  imafs: Imafs,
  writer: Namespace,
  target: Namespace,
  file: string,
): Promise<string | undefined> {
  const keyring = imafs.control(`${target.id}/keys/.ima`);
  // dd, unlike cat, tells what close(2) said.
  const { exit, stderr } = await writer.run([
    'dd',
    `if=${file}`,
    `of=${keyring}`,
    'bs=64k',
    'status=none',
  ]);
  return exit === 0 ? undefined : (/: ([^:]+)\n$/.exec(stderr)?.[1] ?? stderr);
}

const keyring = (imafs: Imafs, reader: Namespace, target: Namespace, name: string) =>
  reader.ok(['cat', imafs.control(`${target.id}/keys/${name}`)]);

describe('a mount with keys=DIR that has a CA', () => {
  const imafs = useImafs({ options: { keys: directory } });

  imafs.test('begins with what the CA vouches for; the rest is named', async () => {
    const { system } = imafs;
    assert.equal(await keyring(imafs, system, system, '.ima'), lineOf('leaf'));
    const authorities = await keyring(imafs, system, system, '.builtin_trusted_keys');
    assert.equal(authorities, lineOf('ca', 'Acme: Root'));
    assert.equal(await keyring(imafs, system, system, '.blacklist'), `${tbsOf('revoked')}\n`);
    const { mount } = (await imafs.status()) as { mount: { unadmittedKeys: unknown[] } };
    assert.deepEqual(mount.unadmittedKeys, [
      {
        file: join(directory, 'rogue.pem'),
        description: `rogue: ${skid('rogue')}`,
        reasons: ['no CA of the system keyring issued it'],
      },
    ]);
    assert.match(imafs.daemon.log(), /certificate not admitted to \.ima/);
  });

  imafs.test('each namespace has keys of its own, which the CA must have issued', async () => {
    const [first, second] = [await imafs.activated([]), await imafs.activated([])];
    assert.equal(await add(imafs, first, first, made.path('one.der')), undefined);
    assert.equal(await add(imafs, imafs.system, second, made.path('two.pem')), undefined);
    assert.equal(await keyring(imafs, first, first, '.ima'), lineOf('leaf') + lineOf('one'));
    assert.equal(await keyring(imafs, second, second, '.ima'), lineOf('leaf') + lineOf('two'));
    assert.equal(await keyring(imafs, imafs.system, imafs.system, '.ima'), lineOf('leaf'));
    const pem = await keyring(imafs, first, first, '.ima.pem');
    assert.ok(pem.includes(String(made.read('one.pem')).trim()));
  });

  imafs.test('what is refused has the errno of add_key and a reason in status', async () => {
    const container = await imafs.activated([]);
    const garbage = join(made.directory, 'garbage');
    writeFileSync(garbage, 'no certificate\n');
    const refused: readonly [file: string, error: string, reason: RegExp][] = [
      [made.path('rogue.pem'), 'Required key not available', /^no CA of the system keyring/],
      [made.path('ca.pem'), 'Required key not available', /^its key is not for signatures/],
      [made.path('revoked.der'), 'Key was rejected by service', /^it is blacklisted: tbs:/],
      [garbage, 'Bad message', /^no certificate: /],
    ];
    for (const [file, error, expected] of refused) {
      assert.equal(await add(imafs, container, container, file), error);
      const { lastKeyRefusal } = (await imafs.status(container)) as {
        lastKeyRefusal: { reasons: { reason: string }[] };
      };
      assert.match(lastKeyRefusal.reasons[0]?.reason ?? '', expected);
    }
    assert.equal(await keyring(imafs, container, container, '.ima'), lineOf('leaf'));
  });

  imafs.test('a blacklist of one’s own keeps keys out of one’s own keyring only', async () => {
    const [first, second] = [await imafs.activated([]), await imafs.activated([])];
    await first.ok(['sh', '-c', `echo ${tbsOf('one')} > ${imafs.control('self/keys/.blacklist')}`]);
    assert.equal(
      await add(imafs, first, first, made.path('one.der')),
      'Key was rejected by service',
    );
    assert.equal(await add(imafs, second, second, made.path('one.der')), undefined);
    const shown = await keyring(imafs, first, first, '.blacklist');
    assert.equal(shown, `${tbsOf('revoked')}\n${tbsOf('one')}\n`);
    const bad = await first.run([
      'sh',
      '-c',
      `echo tbs:0 > ${imafs.control('self/keys/.blacklist')}`,
    ]);
    assert.notEqual(bad.exit, 0);
  });

  imafs.test('keys are for the root of the namespace and of the system only', async () => {
    const [first, second] = [await imafs.activated([]), await imafs.activated([])];
    assert.equal(await add(imafs, second, first, made.path('one.der')), 'Permission denied');
    const user = await first.run(['cat', imafs.control('self/keys/.ima')], { uid: 1000 });
    assert.match(user.stderr, /Permission denied/);
    const names = await first.ok(['ls', '-A', imafs.control('self/keys')]);
    assert.match(
      names,
      /^\.blacklist\n\.builtin_trusted_keys\n\.builtin_trusted_keys\.pem\n\.ima\n\.ima\.pem\n$/,
    );
  });
});

/** Entries of a namespace's list that are no files, as `log show` has them. */
async function buffers(reader: Namespace, imafs: Imafs): Promise<[unknown, unknown][]> {
  const shown = await verb(reader, 'log', 'show', imafs.mountpoint);
  return shown.lines
    .filter(({ template }) => template === 'ima-buf')
    .map(({ name, fields }) => [name, (fields as Record<string, string>)['buf']]);
}

const hexOf = (name: string): string => made.read(`${name}.der`).toString('hex');

describe('signed files', () => {
  const imafs = useImafs({ options: { keys: directory } });
  const signed = ['appraise func=FILE_CHECK fowner=1000 appraise_type=imasig'];

  const sign = (file: string, name: string): Promise<string> =>
    imafs.system.ok([
      ...['evmctl', 'ima_sign', '-a', 'sha256', '--key', made.path(`${name}.key`)],
      ...['--keyid-from-cert', made.path(`${name}.pem`), imafs.behind(file)],
    ]);

  imafs.test('are read where the signer’s key is, from when it is there', async () => {
    imafs.put('file', 'content', { label: 'none' });
    await sign('file', 'one');
    const [first, second] = [await imafs.activated(signed), await imafs.activated(signed)];
    const read = async (namespace: Namespace): Promise<number | null> =>
      (await namespace.run(['cat', imafs.at('file')])).exit;
    assert.deepEqual([await read(first), await read(second)], [1, 1]);
    await add(imafs, first, first, made.path('one.der'));
    await add(imafs, second, second, made.path('two.der'));
    assert.deepEqual([await read(first), await read(second)], [0, 1]);
    assert.match(imafs.auditLines().at(-1) ?? '', /op=appraise_data cause=invalid-signature /);
    await add(imafs, imafs.system, second, made.path('one.der'));
    assert.deepEqual([await read(first), await read(second)], [0, 0]);
    // The key of keys=DIR is in each.
    await sign('file', 'leaf');
    assert.deepEqual([await read(first), await read(second)], [0, 0]);
  });

  imafs.test('a digest in the blacklist is refused at once, the system’s everywhere', async () => {
    imafs.put('listed', 'blacklisted content', { label: 'none' });
    await sign('listed', 'leaf');
    const [first, second] = [await imafs.activated(signed), await imafs.activated(signed)];
    const read = async (namespace: Namespace): Promise<number | null> =>
      (await namespace.run(['cat', imafs.at('listed')])).exit;
    assert.deepEqual([await read(first), await read(second)], [0, 0]);
    const blacklist = (writer: Namespace, target: Namespace): Promise<string> =>
      writer.ok([
        ...['sh', '-c', `echo bin:${digestOf('blacklisted content')} > "$0"`],
        imafs.control(`${target.id}/keys/.blacklist`),
      ]);
    await blacklist(first, first);
    assert.deepEqual([await read(first), await read(second)], [1, 0]);
    await blacklist(imafs.system, imafs.system);
    assert.deepEqual([await read(first), await read(second)], [1, 1]);
  });

  imafs.test(
    'a module with an appended signature, as the kernel’s sign-file makes it',
    async () => {
      const rules = ['appraise func=MODULE_CHECK appraise_type=imasig|modsig'];
      const container = await imafs.activated(rules);
      imafs.put('good.ko', appendedBy('leaf', 'module'), { label: 'none' });
      imafs.put('rogue.ko', appendedBy('rogue', 'module'), { label: 'none' });
      imafs.put('attributes.ko', appendedBy('leaf', 'module', []), { label: 'none' });
      const read = async (name: string): Promise<number | null> =>
        (await container.run(['cat', imafs.at(name)])).exit;
      assert.deepEqual(
        [await read('good.ko'), await read('rogue.ko'), await read('attributes.ko')],
        [0, 1, 1],
      );
    },
  );
});

/** What scripts/sign-file does: the message, its place, and the marker behind the content. */
function appendedBy(name: string, content: string, attributes = ['-noattr']): Buffer {
  const file = join(made.directory, 'module');
  writeFileSync(file, content);
  const signer = ['-signer', made.path(`${name}.pem`), '-inkey', made.path(`${name}.key`)];
  const form = ['-binary', '-nocerts', '-md', 'sha256', '-outform', 'DER', ...attributes];
  const message = execFileSync('openssl', ['cms', '-sign', '-in', file, ...signer, ...form]);
  const place = Buffer.alloc(12);
  place.writeUInt8(2, 2);
  place.writeUInt32BE(message.length, 8);
  const marker = Buffer.from('~Module signature appended~\n');
  return Buffer.concat([Buffer.from(content), message, place, marker]);
}

describe('imafs key', () => {
  const imafs = useImafs({ options: { keys: directory } });

  imafs.test('ls shows the keyrings by key ids as evmctl has them', async () => {
    const { exit, lines } = await verb(imafs.system, 'key', 'ls', imafs.mountpoint);
    assert.equal(exit, 0);
    assert.deepEqual(
      lines.map(({ type, keyring: where, keyId, entry, file }) => [
        type,
        where ?? entry ?? file,
        keyId,
      ]),
      [
        ['key', '.builtin_trusted_keys', skid('ca').slice(-8)],
        ['key', '.ima', skid('leaf').slice(-8)],
        ['blacklisted', tbsOf('revoked'), undefined],
        ['unadmitted', join(directory, 'rogue.pem'), undefined],
      ],
    );
    // evmctl signs with the id that verifiers will look for.
    const signed = join(made.directory, 'signed');
    writeFileSync(signed, 'content');
    await imafs.system.ok([
      'evmctl',
      'ima_sign',
      '--sigfile',
      '--key',
      made.path('leaf.key'),
      '--keyid-from-cert',
      made.path('leaf.pem'),
      '-a',
      'sha256',
      signed,
    ]);
    assert.equal(
      readFileSync(`${signed}.sig`).subarray(3, 7).toString('hex'),
      skid('leaf').slice(-8),
    );
  });

  imafs.test('add says for each certificate what became of it, and why', async () => {
    const container = await imafs.activated([]);
    const files = ['one.pem', 'rogue.der', 'revoked.pem', 'ca.der'].map((name) => made.path(name));
    const { exit, lines } = await verb(container, 'key', 'add', imafs.mountpoint, ...files);
    assert.equal(exit, 8);
    const reasons = lines
      .slice(0, -1)
      .map(({ added, reasons: all }) => [added, (all as { errno: string }[])[0]?.errno]);
    assert.deepEqual(reasons, [
      [true, undefined],
      [false, 'ENOKEY'],
      [false, 'EKEYREJECTED'],
      [false, 'ENOKEY'],
    ]);
    assert.equal(lines.at(-1)?.['code'], 'key-refused');
    assert.equal(
      await keyring(imafs, container, container, '.ima'),
      lineOf('leaf') + lineOf('one'),
    );
    // By the system's root, for it.
    const ns = ['--ns', String(container.id)];
    const more = await verb(
      imafs.system,
      'key',
      'add',
      ...ns,
      imafs.mountpoint,
      made.path('two.der'),
    );
    assert.equal(more.exit, 0);
    const shown = await verb(imafs.system, 'key', 'ls', ...ns, imafs.mountpoint);
    assert.equal(shown.lines.filter(({ keyring: where }) => where === '.ima').length, 3);
  });

  imafs.test('check --mount tells before what add would do', async () => {
    const container = await imafs.activated([]);
    const files = ['one.pem', 'rogue.pem', 'revoked.der', 'leaf.pem'].map((name) =>
      made.path(name),
    );
    const ground = ['--mount', imafs.mountpoint];
    const { exit, lines } = await verb(container, 'key', 'check', ...ground, ...files);
    assert.equal(exit, 8);
    const admitted = lines.slice(0, -1).map((line) => line['admitted']);
    assert.deepEqual(admitted, [true, false, false, true]);
    assert.equal(await keyring(imafs, container, container, '.ima'), lineOf('leaf'));
  });
});

describe('a policy with KEY_CHECK and CRITICAL_DATA', () => {
  const rules = ['measure func=KEY_CHECK keyrings=.ima', 'measure func=CRITICAL_DATA label=app'];
  const imafs = useImafs({ options: { keys: directory }, policy: rules });

  imafs.test('lists the keys of keys=DIR after the boot aggregate, and replays', async () => {
    const shown = await verb(imafs.system, 'log', 'show', imafs.mountpoint);
    const [first, second] = shown.lines;
    assert.deepEqual([first?.['name'], second?.['name']], ['boot_aggregate', '.ima']);
    assert.deepEqual(await buffers(imafs.system, imafs), [['.ima', hexOf('leaf')]]);
    const verified = await verb(imafs.system, 'log', 'verify', imafs.mountpoint);
    assert.deepEqual([verified.exit, verified.lines.at(-1)?.['verified']], [0, true]);
    // As evmctl sees it: the same list, the same PCRs.
    await imafs.shell(`cd $ROOT
      for f in binary_runtime_measurements pcrs_sha1 pcrs_sha256; do cat $MNT/.ima/$f > $f; done
      evmctl ima_measurement --pcrs sha1,pcrs_sha1 --pcrs sha256,pcrs_sha256 binary_runtime_measurements`);
  });

  imafs.test(
    'a key that enters a keyring is listed there and by who judges the writer',
    async () => {
      const container = await imafs.activated(rules);
      assert.deepEqual(await buffers(container, imafs), [['.ima', hexOf('leaf')]]);
      assert.equal(await add(imafs, container, container, made.path('one.pem')), undefined);
      const both = [
        ['.ima', hexOf('leaf')],
        ['.ima', hexOf('one')],
      ];
      assert.deepEqual(await buffers(container, imafs), both);
      // The system's list tells whose it is.
      const seen = await buffers(imafs.system, imafs);
      assert.deepEqual(
        seen.map(([name, data]) => [String(name).replace(/=\d+/, '=N'), data]),
        [
          ['.ima', hexOf('leaf')],
          ['mnt-ns=N:.ima', hexOf('one')],
        ],
      );
      await add(imafs, container, container, made.path('rogue.der'));
      assert.deepEqual(await buffers(container, imafs), both);
      const verified = await verb(container, 'log', 'verify', imafs.mountpoint);
      assert.equal(verified.exit, 0);
    },
  );

  imafs.test('critical data is measured if a rule wants its label', async () => {
    const container = await imafs.activated(rules);
    const file = imafs.control('self/critical_data');
    for (const line of ['app my state', 'other my state']) {
      await container.ok(['sh', '-c', `printf '${line}\\nraw\\ndata' > ${file}`]);
    }
    const found = (await buffers(container, imafs)).filter(([name]) => name !== '.ima');
    assert.deepEqual(found, [['my_state', Buffer.from('raw\ndata').toString('hex')]]);
    const bad = await container.run(['sh', '-c', `printf 'no data\\n' > ${file}`]);
    assert.notEqual(bad.exit, 0);
  });
});

describe('a keys=DIR that is not right', () => {
  const imafs = useImafs();

  imafs.test('keeps the mount from being made, exit code 8, and says which file', async () => {
    const bad = mkdtempSync(join(made.directory, 'bad-'));
    writeFileSync(join(bad, 'x.pem'), 'garbage');
    for (const [keys, message] of [
      [bad, /x\.pem: no certificate/],
      [join(bad, 'none'), /none cannot be read: ENOENT/],
    ] as const) {
      const options = `system_ns=self,keys=${keys},state=${join(imafs.root, 'state2')}`;
      const target = join(imafs.root, 'second');
      await imafs.shell(`mkdir -p ${target}`);
      const { exit, lines } = await verb(imafs.system, 'mount', '-o', options, target, target);
      assert.deepEqual([exit, lines.at(-1)?.['code']], [8, 'bad-key']);
      assert.match(String(lines.at(-1)?.['message']), message);
    }
  });

  imafs.test('what is not admitted is told on stderr, and the mount goes on', async () => {
    const target = join(imafs.root, 'third');
    const options = `system_ns=self,keys=${directory},state=${join(imafs.root, 'state3')}`;
    await imafs.shell(`mkdir ${target}`);
    const words = [...IMAFS, 'mount', '-o', options, target, target];
    const { exit, stderr } = await imafs.system.run(words);
    assert.equal(exit, 0, stderr);
    assert.match(
      stderr,
      /^imafs: .*rogue\.pem is not admitted: no CA of the system keyring issued it\n$/,
    );
    await imafs.system.ok([...IMAFS, 'umount', target]);
  });
});

describe('a mount without a CA', () => {
  const imafs = useImafs();

  imafs.test('takes any key of whoever is root there', async () => {
    const container = await imafs.activated([]);
    assert.equal(await add(imafs, container, container, made.path('rogue.der')), undefined);
    assert.equal(await keyring(imafs, container, container, '.ima'), lineOf('rogue'));
    assert.equal(await keyring(imafs, container, container, '.builtin_trusted_keys'), '');
  });
});
