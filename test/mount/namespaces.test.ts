import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { causesOf } from '../helpers/audit-lines.js';
import { PROTECTED, useImafs } from '../helpers/imafs.js';
import { labelFor } from '../helpers/label.js';
import { Namespace } from '../helpers/namespace.js';
import { testKernel } from '../helpers/old-kernel.js';
import { SLOWNESS } from '../helpers/slowness.js';

const RULE = `appraise fowner=${PROTECTED}`;

describe('two namespaces with policies of their own and one without', () => {
  const imafs = useImafs();

  imafs.test('one file is refused in one, served in the other and in the one without', async () => {
    const file = imafs.put('shared', 'text\n', { label: labelFor('other') });
    const strict = await imafs.activated([RULE]);
    const lax = await imafs.activated(['appraise fowner=4242']);
    const none = await imafs.container();
    const open = `open r ${file}`;
    for (let round = 0; round < 3; round++) {
      const results = await Promise.all([strict, lax, none, imafs.system].map((it) => it.xt(open)));
      assert.deepEqual(results.flat(), ['open=EACCES', 'open=ok', 'open=ok', 'open=ok']);
    }
    assert.deepEqual(new Set(causesOf(imafs.auditLines(), 'shared')), new Set(['invalid-hash']));
  });

  imafs.test('an activated namespace without rules is judged as if it had not been', async () => {
    const file = imafs.put('empty-policy', 'text\n', { label: 'none' });
    const container = await imafs.container();
    await imafs.system.ok(['sh', '-c', `echo ${container.id} > ${imafs.control('namespaces')}`]);
    assert.deepEqual(await container.xt(`open r ${file}`), ['open=ok']);
    await imafs.writePolicy(`${container.id}`, [RULE]);
    assert.deepEqual(await container.xt(`open r ${file}`), ['open=EACCES']);
  });

  imafs.test(
    'a namespace that died: its directory is gone within seconds and old descriptors fail',
    async () => {
      const container = await imafs.activated([RULE]);
      const directory = imafs.control(String(container.id));
      const holder = imafs.system.startXt(
        `open r ${directory}/policy , open w ${directory}/policy , wait , use 0 , read , use 1 , write appraise%20fowner=1`,
      );
      await holder.printed('waiting');
      await container.stop();
      await retired(container.id);
      assert.deepEqual(await imafs.system.xt(`stat ${directory}`), ['stat=ENOENT']);
      await holder.proceed();
      const { stdout } = await holder.ended;
      assert.match(stdout, /read=ok 0\n/);
      assert.match(stdout, /write=EINVAL/);
    },
  );

  imafs.test('a policy descriptor of a dead namespace is refused at once', async () => {
    const container = await imafs.activated([RULE]);
    const holder = imafs.system.startXt(
      `open w ${imafs.control(`${container.id}/policy`)} , wait , write appraise%20fowner=1`,
    );
    await holder.printed('waiting');
    await container.stop();
    // Without ids the end is found by looking who is there.
    await (testKernel() === undefined ? sleep(50 * SLOWNESS) : retired(container.id));
    await holder.proceed();
    assert.match((await holder.ended).stdout, /write=EINVAL/);
  });

  imafs.test('a new namespace that gets the number of a dead one inherits nothing', async () => {
    const file = imafs.put('reuse', 'text\n', { label: 'none' });
    const seen = new Set<number>();
    let isReused = false;
    // At once where namespaces have ids; else when nothing is kept for the dead one any more.
    for (const limit = Date.now() + 40_000; !isReused && Date.now() < limit; ) {
      const container = await imafs.container();
      isReused = seen.has(container.id);
      seen.add(container.id);
      assert.deepEqual(await container.xt(`open r ${file}`), ['open=ok'], `${container.id}`);
      await imafs.system.ok(['sh', '-c', `echo ${container.id} > ${imafs.control('namespaces')}`]);
      await imafs.writePolicy(String(container.id), [RULE]);
      assert.deepEqual(await container.xt(`open r ${file}`), ['open=EACCES'], `${container.id}`);
      await container.stop();
    }
    assert.ok(isReused, 'no number came twice: this test proved nothing');
  });

  imafs.test('unshare between two opens: the second is judged where it is made', async () => {
    const file = imafs.put('moving', 'text\n', { label: 'none' });
    const container = await imafs.activated([RULE]);
    const results = await imafs.system.xt(
      `open r ${file} , setns /proc/${container.agentPid}/ns/mnt , open r ${file}`,
    );
    assert.deepEqual(results, ['open=ok', 'setns=ok', 'open=EACCES']);
    const back = await container.xt(
      `open r ${file} , setns /proc/${imafs.system.agentPid}/ns/mnt , open r ${file}`,
    );
    assert.deepEqual(back, ['open=EACCES', 'setns=ok', 'open=ok']);
  });

  imafs.test(
    'a descriptor opened in one namespace and passed to another serves there',
    async () => {
      const file = imafs.put('passed', 'text\n', { label: 'none' });
      const container = await imafs.activated([RULE]);
      const receiver = container.startXt('receive imafs-test-passed , read , reopen r');
      const results = await imafs.system.xt(`open r ${file} , send imafs-test-passed`);
      assert.deepEqual(results, ['open=ok', 'send=ok']);
      const { stdout } = await receiver.ended;
      assert.equal(stdout, 'receive=ok\nread=ok 5 text\nreopen=EACCES\n');
    },
  );

  imafs.test(
    'two writers in two namespaces: the label comes after the last, and both see the file',
    async () => {
      const file = imafs.put('two-namespaces', 'text');
      const [one, two] = [await imafs.activated([RULE]), await imafs.activated([RULE])];
      const first = one.startXt(`open wa ${file} , wait , write A , close`);
      const second = two.startXt(`open wa ${file} , wait , write B , close`);
      await first.printed('waiting');
      await second.printed('waiting');
      await first.proceed();
      await first.succeeds();
      await second.proceed();
      await second.succeeds();
      for (const namespace of [one, two]) {
        assert.deepEqual(await namespace.xt(`open r ${file} , read`), [
          'open=ok',
          'read=ok 6 textAB',
        ]);
      }
    },
  );

  /** Waits until a namespace is listed no more. */
  async function retired(id: number): Promise<void> {
    for (let tries = 0; tries < 100; tries++) {
      const listed = await imafs.system.ok(['cat', imafs.control('namespaces')]);
      if (!listed.split('\n').includes(String(id))) return;
      await sleep(100);
    }
    assert.fail(`${id} is still listed after 10 seconds`);
  }
});

describe("ns_policy=stack: the system's policy judges everybody too", () => {
  const imafs = useImafs({ policy: [RULE], options: { ns_policy: 'stack' } });

  imafs.test('a namespace can only tighten', async () => {
    const unlabelled = imafs.put('stacked', 'text\n', { label: 'none' });
    const other = imafs.put('stacked-other', 'text\n', { label: 'none', owner: 2000 });
    const container = await imafs.activated([
      'appraise fowner=2000',
      `dont_appraise fowner=${PROTECTED}`,
    ]);
    assert.deepEqual(await container.xt(`open r ${unlabelled} , open r ${other}`), [
      'open=EACCES',
      'open=EACCES',
    ]);
    assert.deepEqual(await imafs.system.xt(`open r ${unlabelled} , open r ${other}`), [
      'open=EACCES',
      'open=ok',
    ]);
  });
});

describe("ns_policy=replace: a namespace's own policy stands alone", () => {
  const imafs = useImafs({ policy: [RULE], options: { ns_policy: 'replace' } });

  imafs.test("until it has rules the system's judge it, then its own alone", async () => {
    const file = imafs.put('replaced', 'text\n', { label: 'none' });
    const container = await imafs.container();
    await imafs.system.ok(['sh', '-c', `echo ${container.id} > ${imafs.control('namespaces')}`]);
    assert.deepEqual(await container.xt(`open r ${file}`), ['open=EACCES']);
    await imafs.writePolicy(String(container.id), ['appraise fowner=4242']);
    assert.deepEqual(await container.xt(`open r ${file}`), ['open=ok']);
    assert.deepEqual(await imafs.system.xt(`open r ${file}`), ['open=EACCES']);
  });
});

describe('a daemon in a pid namespace of its own', () => {
  const imafs = useImafs({ system: { pid: true } });

  imafs.test(
    'a caller outside it, whom the kernel gives pid 0, is refused whatever the policy',
    async () => {
      const file = imafs.put('outside', 'text\n');
      assert.deepEqual(await imafs.system.xt(`open r ${file}`), ['open=ok']);
      const outside = await Namespace.start({ within: imafs.system, join: true });
      try {
        assert.equal(outside.id, imafs.system.id);
        assert.deepEqual(await outside.xt(`open r ${file}`), ['open=EACCES']);
      } finally {
        await outside.stop();
      }
    },
  );
});
