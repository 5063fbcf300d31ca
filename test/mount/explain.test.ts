/** What the command line says of files on a live mount: why, whose rule, what mends it, what would be. */
import assert from 'node:assert/strict';
import { copyFileSync, readFileSync } from 'node:fs';
import { after, describe } from 'node:test';

import { Certificates } from '../helpers/certificates.js';
import { type Imafs, PROTECTED, useImafs } from '../helpers/imafs.js';
import { labelFor } from '../helpers/label.js';
import type { Namespace } from '../helpers/namespace.js';
import { IMAFS } from '../helpers/project.js';
import { verb } from '../helpers/verb.js';

const made = new Certificates();
made.make('signer');
after(() => {
  made.remove();
});

interface Told {
  readonly read: string;
  readonly label: Record<string, unknown>;
  readonly denials: readonly (Record<string, unknown> & { readonly command?: string })[];
  readonly rules: readonly Record<string, unknown>[];
}

async function explain(
  namespace: Namespace,
  ...words: string[]
): Promise<Told & { exit: number | null }> {
  const { exit, lines } = await verb(namespace, 'explain', ...words);
  return { exit, ...(lines[0] as unknown as Told) };
}

/** Runs a command that was told as a user would: pasted into a shell. */
const paste = (imafs: Imafs, command: string | undefined): Promise<string> =>
  imafs.system.ok([
    ...[
      'bash',
      '-c',
      `imafs() { ${IMAFS.map((word) => `'${word}'`).join(' ')} "$@"; }; ${command}`,
    ],
  ]);

describe('explain', () => {
  const imafs = useImafs({ policy: ['# a comment', `appraise fowner=${PROTECTED}`] });

  for (const [name, label] of [
    ['none', 'none'],
    ["wro'ng $(one)", labelFor('other')],
    ['odd', '0201'],
  ] as const) {
    imafs.test(`the command for ${JSON.stringify(name)} mends it`, async () => {
      const path = imafs.put(name, 'content', { label });
      const told = await explain(imafs.system, path);
      assert.deepEqual([told.exit, told.read], [4, 'EACCES']);
      await paste(imafs, told.denials[0]?.command);
      const mended = await explain(imafs.system, path);
      assert.deepEqual([mended.exit, mended.read, mended.label['kind']], [0, 'allowed', 'digest']);
    });
  }

  imafs.test('a key that is missing is named, and the command adds it', async () => {
    const path = imafs.put('signed', 'content', { label: 'none' });
    const [key, cert] = [made.path('signer.key'), made.path('signer.pem')];
    await imafs.system.ok([
      ...IMAFS,
      ...['label', 'sign', '--key', key, '--cert', cert, imafs.behind('signed')],
    ]);
    const { exit, label, denials } = await explain(imafs.system, path);
    assert.equal(exit, 4);
    const { kind, version, algorithm, keyid } = label;
    assert.deepEqual([kind, version, algorithm], ['signature', 2, 'sha256']);
    const [denial] = denials;
    assert.equal(denial?.['cause'], 'invalid-signature');
    assert.match(String(denial['hint']), new RegExp(`^key ${String(keyid)} is not in \\.ima`));
    await paste(imafs, denial.command?.replace('CERTIFICATE', cert));
    assert.equal((await explain(imafs.system, path)).exit, 0);
    copyFileSync('/dev/null', imafs.behind('signed'));
    const changed = await explain(imafs.system, path);
    assert.match(
      String(changed.denials[0]?.['hint']),
      /^the file is not what key \w+ signed;.*label sign/,
    );
  });

  imafs.test(
    'a file that must be signed, and cannot be read for it, is signed behind',
    async () => {
      const path = imafs.put('unsigned', 'x', { owner: 4711 });
      const container = await imafs.activated(['appraise fowner=4711 appraise_type=imasig']);
      assert.notEqual((await container.run(['cat', path])).exit, 0);
      const { denials } = await explain(imafs.system, path);
      assert.equal(denials[0]?.['cause'], 'IMA-signature-required');
      const command = denials[0]['command'];
      assert.equal(command, `imafs label sign --key KEY ${imafs.behind('unsigned')}`);
      await paste(imafs, command.replace('KEY', made.path('signer.key')));
      const cert = ['--ns', `${container.id}`, imafs.mountpoint, made.path('signer.pem')];
      assert.equal((await verb(imafs.system, 'key', 'add', ...cert)).exit, 0);
      await container.ok(['cat', path]);
      assert.equal((await explain(imafs.system, path)).exit, 0);
    },
  );

  imafs.test('a container is told whose rule it was; the system sees both policies', async () => {
    const path = imafs.put('refused', 'x', { label: 'none' });
    const container = await imafs.activated(['audit', 'appraise fowner=4711']);
    const inside = await explain(container, path);
    assert.deepEqual([inside.exit, inside.rules], [4, []]);
    const [denial] = inside.denials;
    assert.deepEqual(denial?.['policyOf'], 'system');
    assert.match((denial['rule'] as { at: string }).at, /policy:2$/);
    assert.equal((denial['rule'] as { text: string }).text, '');

    imafs.put('own', 'x', { label: 'none', owner: 4711 });
    const own = await explain(container, imafs.at('own'));
    assert.equal(own.denials[0]?.['policyOf'], 'own');

    const outside = await explain(imafs.system, '--ns', `${container.id}`, imafs.at('own'));
    assert.deepEqual(
      outside.rules.map(({ policyOf, rule, line }) => [policyOf, rule, line]),
      [
        ['own', 'audit', 1],
        ['own', 'appraise fowner=4711', 2],
      ],
    );
    const both = await explain(imafs.system, '--ns', `${container.id}`, path);
    assert.deepEqual(
      both.rules.map(({ policyOf, rule }) => [policyOf, rule]),
      [
        ['system', `appraise fowner=${PROTECTED}`],
        ['own', 'audit'],
      ],
    );
    assert.equal((await verb(imafs.system, 'explain', '--ns', '1', path)).exit, 2);
    assert.equal((await verb(container, 'explain', '--ns', '1', path)).exit, 1);
  });
});

describe('policy test and a mount', () => {
  const rules = [
    'dont_appraise fgroup=5',
    `appraise func=BPRM_CHECK fowner=${PROTECTED} appraise_type=imasig`,
    `appraise func=FILE_CHECK mask=MAY_READ fowner=${PROTECTED}`,
    'appraise fowner=33 appraise_algos=sha512',
    'measure func=FILE_CHECK mask=MAY_READ',
  ];
  const imafs = useImafs({ policy: rules });

  imafs.test('say the same of every file, access and user', async () => {
    const program = readFileSync('/bin/true');
    const labels = ['none', 'good', labelFor('other'), labelFor(program, 'sha512'), '0403aa', '01'];
    for (const owner of [PROTECTED, 33, 0]) {
      for (const [index, label] of labels.entries()) {
        imafs.put(`f${owner}-${index}`, program, { label, owner, mode: 0o777 });
      }
    }
    for (const uid of [0, 1234]) {
      const { exit, lines } = await verb(
        imafs.system,
        ...[
          'policy',
          'test',
          '-r',
          '--uid',
          `${uid}`,
          '--policy',
          `${imafs.root}/policy`,
          imafs.backing,
        ],
      );
      assert.equal(exit, 4);
      let refused = 0;
      for (const { type, path, accesses } of lines) {
        if (type !== 'file') continue;
        const name = String(path).slice(imafs.backing.length + 1);
        for (const { access, verdict } of accesses as { access: string; verdict: string }[]) {
          const told = verdict === 'refused' ? 'refused' : 'allowed';
          assert.equal(
            await attempt(imafs, imafs.at(name), access, uid),
            told,
            `${name} ${access}`,
          );
          if (told === 'refused') refused += 1;
        }
      }
      assert.ok(refused > 10, `${refused} refused`);
    }
  });

  imafs.test(
    'without --policy the one in force is tested, with the keys of the mount',
    async () => {
      const path = imafs.put('bad', 'x', { label: 'none' });
      const writing = ['policy', 'test', '--access', 'write', imafs.put('good', 'x')];
      const { exit, lines } = await verb(imafs.system, ...writing);
      assert.equal(exit, 0, JSON.stringify(lines));
      const [{ accesses } = {}] = lines;
      assert.deepEqual(
        (accesses as { access: string }[]).map(({ access }) => access),
        ['write'],
      );
      const reading = await verb(imafs.system, 'policy', 'test', path);
      // Who is refused by the policy in force cannot look at what another one would say.
      assert.deepEqual([reading.exit, reading.lines[0]?.['verdict']], [3, 'failed']);
    },
  );

  imafs.test('a measurement list of the mount is taken for one', async () => {
    const list = imafs.control('ascii_runtime_measurements');
    const { exit, lines } = await verb(imafs.system, 'policy', 'test', '--policy', 'tcb', list);
    assert.deepEqual([exit, lines.at(-1)?.['type']], [0, 'summary']);
    assert.equal(lines.find(({ name }) => name === 'boot_aggregate')?.['measured'], 'always');
  });
});

/** What comes of an access through the mount, which changes nothing. */
async function attempt(imafs: Imafs, path: string, access: string, uid: number): Promise<string> {
  const words = {
    read: ['cat', path],
    write: ['sh', '-c', 'exec 3>>"$0"', path],
    execute: ['sh', '-c', 'exec "$0"', path],
  }[access];
  const { exit, stderr } = await imafs.system.run(words ?? [], { uid });
  if (exit === 0) return 'allowed';
  return /Permission denied/.test(stderr) ? 'refused' : `${exit}: ${stderr}`;
}
