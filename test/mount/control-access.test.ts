/** Who may use which control file, decided by the caller; and mounts over the tree that stay. */
import assert from 'node:assert/strict';
import { describe } from 'node:test';

import { PROTECTED, useImafs } from '../helpers/imafs.js';
import type { CommandOptions, Namespace } from '../helpers/namespace.js';
import { skipUnless } from '../helpers/skip.js';

const USER_ROOT = 100_000;
const userNamespaces = { skip: skipUnless('user namespaces', 'max_user_namespaces is 0') };

const READABLE = [
  'policy',
  'active',
  'mode',
  'hash',
  'template_name',
  'status',
  'denials',
  'events',
  'violations',
  'runtime_measurements_count',
  'ascii_runtime_measurements',
  'binary_runtime_measurements',
  'tpm',
];
const WRITABLE = [
  'policy',
  'active',
  'mode',
  'hash',
  'template_name',
  'label',
  'critical_data',
  'tpm',
];
const REFUSED = /=(EACCES|EPERM|ENOENT)$/;

describe('every control file of another namespace and of the system', () => {
  const imafs = useImafs();

  async function expectRefused(
    who: Namespace,
    directory: string,
    options: CommandOptions = {},
  ): Promise<void> {
    for (const [letter, names] of [
      ['r', READABLE],
      ['w', WRITABLE],
    ] as const) {
      const results = await who.xt(
        names.map((name) => `open ${letter} ${directory}/${name}`).join(' , '),
        options,
      );
      results.forEach((result, index) => {
        assert.match(result, REFUSED, `${directory}/${names[index]} ${letter}`);
      });
    }
  }

  for (const kind of [{}, { userRoot: USER_ROOT }] as const) {
    const who = 'userRoot' in kind ? 'root of a user namespace' : "a container's root";
    imafs.test(
      `${who} reaches its own files, not those of another container, nor the system's`,
      async () => {
        const [own, other] = [await imafs.activated([], kind), await imafs.activated([], kind)];
        for (const directory of [String(own.id), 'self']) {
          const paths = READABLE.map((name) => `open r ${imafs.control(`${directory}/${name}`)}`);
          const results = await own.xt(paths.join(' , '));
          assert.deepEqual(new Set(results), new Set(['open=ok']), results.join(' '));
        }
        await expectRefused(own, imafs.control(String(other.id)));
        await expectRefused(own, imafs.control(String(imafs.system.id)));
        assert.match((await own.xt(`open w ${imafs.control('namespaces')}`))[0] ?? '', REFUSED);
      },
      userNamespaces,
    );
  }

  imafs.test('an unprivileged user reaches nothing, of a container or of the system', async () => {
    const container = await imafs.activated([]);
    const uid = PROTECTED;
    for (const [who, id] of [
      [container, container.id],
      [imafs.system, imafs.system.id],
      [imafs.system, container.id],
    ] as const) {
      await expectRefused(who, imafs.control(String(id)), { uid });
      await expectRefused(who, imafs.control('self'), { uid });
      const results = await who.xt(
        `open r ${imafs.control('policy')} , open w ${imafs.control('policy')} , open r ${imafs.control('namespaces')}`,
        { uid },
      );
      for (const result of results) assert.match(result, REFUSED);
    }
  });

  imafs.test(
    "root of a user namespace made inside a host container is not that container's root",
    async () => {
      const container = await imafs.activated([]);
      const deeper = `unshare U , open r ${imafs.control('policy')} , open w ${imafs.control('policy')} , open r ${imafs.control(`${container.id}/status`)}`;
      for (const uid of [0, PROTECTED]) {
        const [made, ...results] = await container.xt(deeper, { uid });
        assert.equal(made, 'unshare=ok');
        for (const result of results) assert.match(result, REFUSED, `uid ${uid}`);
      }
    },
    userNamespaces,
  );

  imafs.test("the system's root reaches every file of every namespace", async () => {
    const container = await imafs.activated([]);
    const paths = READABLE.map((name) => `open r ${imafs.control(`${container.id}/${name}`)}`);
    assert.deepEqual(new Set(await imafs.system.xt(paths.join(' , '))), new Set(['open=ok']));
  });

  imafs.test('a descriptor of the control tree keeps the namespace it was opened in', async () => {
    const [own, other] = [
      await imafs.activated(['appraise fowner=1']),
      await imafs.activated(['appraise fowner=2']),
    ];
    const receiver = other.startXt('receive imafs-test-control , read');
    await own.xt(`open r ${imafs.control('policy')} , send imafs-test-control`);
    assert.match((await receiver.ended).stdout, /read=ok \d+ appraise fowner=1/);
  });
});

describe('mounts over the control tree', () => {
  const imafs = useImafs();

  imafs.test('survive lookups by other namespaces and by unprivileged users', async () => {
    const [own, other] = [await imafs.activated(['appraise fowner=1']), await imafs.container()];
    const mark = `${imafs.root}/mark`;
    await own.ok(['sh', '-c', `mkdir ${mark} && echo mine > ${mark}/file`]);
    await own.ok(['mount', '--bind', `${mark}/file`, imafs.control('policy')]);
    const look = async (who: Namespace, uid: number): Promise<void> => {
      await who.xt(
        `stat ${imafs.control('policy')} , stat ${imafs.control('self/policy')} , open r ${imafs.control('policy')} , list ${imafs.control('')}`,
        { uid },
      );
    };
    for (const who of [other, imafs.system, own])
      for (const uid of [0, PROTECTED]) await look(who, uid);
    assert.equal(await own.ok(['cat', imafs.control('policy')]), 'mine\n');
    await own.ok(['mount', '--bind', mark, imafs.control('').replace(/\/$/, '')]);
    for (const who of [other, imafs.system]) for (const uid of [0, PROTECTED]) await look(who, uid);
    assert.equal(await own.ok(['cat', `${imafs.mountpoint}/.ima/file`]), 'mine\n');
    assert.match(await imafs.system.ok(['ls', imafs.control('')]), /^policy$/m);
  });
});
