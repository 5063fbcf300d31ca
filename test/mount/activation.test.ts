/** How a namespace becomes active, and the errors of the 2017 patches when it does not. */
import assert from 'node:assert/strict';
import { describe } from 'node:test';

import { PROTECTED, useImafs } from '../helpers/imafs.js';
import { skipUnless } from '../helpers/skip.js';

const RULE = `appraise fowner=${PROTECTED}`;
const USER_ROOT = 100_000;
const userNamespaces = { skip: skipUnless('user namespaces', 'max_user_namespaces is 0') };

describe('writing a number to namespaces', () => {
  const imafs = useImafs();
  const write = async (text: string): Promise<string[]> =>
    imafs.system.xt(`open! w ${imafs.control('namespaces')} , write ${text} , close`);

  imafs.test('activates that namespace, and a second time is a success', async () => {
    const container = await imafs.container();
    const number = String(container.id);
    assert.deepEqual(await write(number), ['open=ok', `write=ok ${number.length}`, 'close=ok']);
    assert.deepEqual(await write(number), ['open=ok', `write=ok ${number.length}`, 'close=ok']);
    const listed = await imafs.system.ok(['cat', imafs.control('namespaces')]);
    assert.deepEqual(listed.split('\n').filter((line) => line.startsWith(number)).length, 1);
    assert.equal(await imafs.system.ok(['cat', imafs.control(`${number}/active`)]), '1\n');
  });

  imafs.test('a number that no living namespace has is ENOENT', async () => {
    const container = await imafs.container();
    await container.stop();
    for (const number of ['1', '4026999999']) {
      assert.equal((await write(number))[1], 'write=ENOENT', number);
    }
  });

  imafs.test("no number, a negative one, two, and the system's own are EINVAL", async () => {
    for (const text of ['abc', '-1', '4026531840x', '1%202', String(imafs.system.id)]) {
      assert.equal((await write(text))[1], 'write=EINVAL', text);
    }
  });

  imafs.test('reading and writing at once is EACCES, reading lists', async () => {
    const file = imafs.control('namespaces');
    assert.deepEqual(await imafs.system.xt(`open rw ${file}`), ['open=EACCES']);
    assert.equal((await imafs.system.xt(`open r ${file}`))[0], 'open=ok');
  });

  imafs.test('a second writer at the same time is EBUSY, on this file only', async () => {
    const container = await imafs.activated([]);
    const file = imafs.control('namespaces');
    const holder = imafs.system.startXt(`open w ${file} , wait`);
    await holder.printed('waiting');
    const results = await imafs.system.xt(
      `open w ${file} , open w ${imafs.control(`${container.id}/policy`)}`,
    );
    assert.deepEqual(results, ['open=EBUSY', 'open=ok']);
    await holder.proceed();
    await holder.succeeds();
    assert.deepEqual(await imafs.system.xt(`open w ${file}`), ['open=ok']);
  });

  imafs.test('nobody but the root of the system may', async () => {
    const container = await imafs.container();
    const open = `open w ${imafs.control('namespaces')}`;
    for (const results of [
      await imafs.system.xt(open, { uid: PROTECTED }),
      await container.xt(open),
    ]) {
      assert.match(results[0] ?? '', /^open=(EACCES|EPERM)$/);
    }
  });
});

describe('activation by the own root', () => {
  const imafs = useImafs();

  for (const kind of [{}, { userRoot: USER_ROOT }]) {
    const whose = 'userRoot' in kind ? 'of a user namespace' : 'of the host';
    imafs.test(
      `root ${whose} writes 1 to active, then a policy, and only that namespace is judged by it`,
      async () => {
        const file = imafs.put(`self-${whose.length}`, 'text\n', { label: 'none' });
        const [own, other] = [await imafs.container(kind), await imafs.container(kind)];
        assert.deepEqual(await own.xt(`open r ${imafs.control('active')} , read`), [
          'open=ok',
          'read=ok 2 0',
        ]);
        await own.ok([
          'sh',
          '-c',
          `echo 1 > ${imafs.control('active')} && echo '${RULE}' > ${imafs.control('policy')}`,
        ]);
        assert.deepEqual(await own.xt(`open r ${file}`), ['open=EACCES']);
        assert.deepEqual(await other.xt(`open r ${file}`), ['open=ok']);
        assert.equal(await own.ok(['cat', imafs.control('policy')]), `${RULE} \n`);
        assert.equal(
          await imafs.system.ok(['cat', imafs.control(`${own.id}/policy`)]),
          `${RULE} \n`,
        );
      },
      userNamespaces,
    );
  }

  imafs.test('before activation a namespace sees its own empty view and cannot load', async () => {
    await imafs.writePolicy('', ['appraise fowner=4242']);
    const container = await imafs.container();
    assert.doesNotMatch((await container.run(['cat', imafs.control('policy')])).stdout, /appraise/);
    const results = await container.xt(
      `open! w ${imafs.control('policy')} , write appraise , close`,
    );
    assert.ok(
      results.some((line) => /=E/.test(line)),
      results.join(' '),
    );
  });

  imafs.test(
    'an unprivileged user of the namespace may not activate it',
    async () => {
      const container = await imafs.container({ userRoot: USER_ROOT });
      const open = `open w ${imafs.control('active')}`;
      assert.match(
        (await (await imafs.container()).xt(open, { uid: PROTECTED }))[0] ?? '',
        /^open=E(ACCES|PERM)$/,
      );
      // In the same mount namespace, but root of a further user namespace below the owner's.
      const [, deeper] = await container.xt(`unshare U , ${open}`);
      assert.match(deeper ?? '', /^open=E(ACCES|PERM)$/);
    },
    userNamespaces,
  );
});

describe('ns_policy=replace', () => {
  const imafs = useImafs({ options: { ns_policy: 'replace' } });

  imafs.test("the own root is refused with EPERM, the system's may", async () => {
    const container = await imafs.container();
    for (const name of ['active', 'policy', 'mode', 'hash', 'template_name']) {
      const results = await container.xt(`open! w ${imafs.control(name)} , write 1 , close`);
      assert.ok(
        results.some((line) => /=EPERM$/.test(line)),
        `${name}: ${results.join(' ')}`,
      );
    }
    await imafs.system.ok(['sh', '-c', `echo ${container.id} > ${imafs.control('namespaces')}`]);
    assert.deepEqual(await container.xt(`open w ${imafs.control('self/tpm')}`), ['open=EPERM']);
    await imafs.writePolicy(String(container.id), [RULE]);
  });
});

describe('without enforce_ns', () => {
  const imafs = useImafs({ options: { ima_appraise: 'enforce' } });

  imafs.test('activation is EINVAL', async () => {
    const container = await imafs.container();
    const results = await imafs.system.xt(
      `open w ${imafs.control('namespaces')} , write ${container.id}`,
    );
    assert.deepEqual(results, ['open=ok', 'write=EINVAL']);
  });
});
