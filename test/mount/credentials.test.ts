import assert from 'node:assert/strict';
import { describe } from 'node:test';

import { useImafs } from '../helpers/imafs.js';
import { program } from '../helpers/programs.js';
import { skipUnless } from '../helpers/skip.js';

const ioUring = { skip: skipUnless('io_uring', 'kernel.io_uring_disabled is set') };

/** `open` as ids say, from a fresh xt that starts as root. */
const withIds = (ids: string, file: string): string => `${ids} , open r ${file}`;

describe('conditions on ids', () => {
  const imafs = useImafs();

  for (const [rule, cases] of [
    [
      'appraise uid=1500',
      [
        ['resuid 1500 0 0', 'EACCES'],
        ['resuid 0 1500 0', 'ok'],
        ['resuid 1501 0 0', 'ok'],
      ],
    ],
    [
      'appraise euid=1500',
      [
        ['resuid 0 1500 0', 'EACCES'],
        ['resuid 1500 0 1500', 'EACCES'],
        ['resuid 1501 1501 1501', 'ok'],
      ],
    ],
    [
      'appraise uid>1500',
      [
        ['resuid 1500 0 0', 'ok'],
        ['resuid 1501 0 0', 'EACCES'],
      ],
    ],
    [
      'appraise uid<1500',
      [
        ['resuid 1500 0 0', 'ok'],
        ['resuid 1499 0 0', 'EACCES'],
        ['resuid - - -', 'EACCES'],
      ],
    ],
    [
      'appraise gid=1500',
      [
        ['resgid 1500 0 0', 'EACCES'],
        ['resgid 0 1500 0', 'ok'],
      ],
    ],
    [
      'appraise egid=1500',
      [
        ['resgid 0 1500 0', 'EACCES'],
        ['resgid 1501 1501 1501', 'ok'],
      ],
    ],
  ] as const) {
    imafs.test(`${rule} judges exactly the callers it names, warm or not`, async () => {
      const file = imafs.put(`ids-${rule.replaceAll(/\W/g, '-')}`, 'text\n', {
        label: 'none',
        owner: 0,
      });
      const container = await imafs.activated([rule]);
      for (let round = 0; round < 2; round++) {
        for (const [ids, expected] of cases) {
          const results = await container.xt(withIds(ids, file));
          assert.equal(results[1], `open=${expected}`, `${ids}, round ${round}`);
        }
      }
    });
  }

  for (const [rule, matching, other] of [
    ['appraise fowner=1500', 1500, 1501],
    ['appraise fowner>1500', 1501, 1500],
    ['appraise fowner<1500', 1499, 1500],
    ['appraise fgroup=1500', 1500, 1501],
  ] as const) {
    imafs.test(`${rule} looks at the backing file`, async () => {
      const container = await imafs.activated([rule]);
      const names = [matching, other].map((owner) =>
        imafs.put(`owned-${rule.replaceAll(/\W/g, '-')}-${owner}`, 'text\n', {
          label: 'none',
          owner,
        }),
      );
      const results = await container.xt(names.map((file) => `open r ${file}`).join(' , '));
      assert.deepEqual(results, ['open=EACCES', 'open=ok']);
    });
  }

  imafs.test('fsmagic, fsname and fsuuid are those of the backing, never of FUSE', async () => {
    const file = imafs.put('magic', 'text\n', { label: 'none' });
    for (const [rule, expected] of [
      ['appraise fsmagic=0x65735546', 'ok'],
      ['appraise fsmagic=0xef53', 'EACCES'],
      ['appraise fsname=fuse', 'ok'],
      ['appraise fsname=ext4', 'EACCES'],
    ] as const) {
      const container = await imafs.activated([rule]);
      assert.deepEqual(await container.xt(`open r ${file}`), [`open=${expected}`], rule);
    }
  });
});

describe('who asks when an io_uring worker does', () => {
  const imafs = useImafs();

  imafs.test(
    'a worker left behind in the activated namespace is judged there',
    async () => {
      const file = imafs.put('uring-out', 'text\n', { label: 'none' });
      const container = await imafs.activated(['appraise fowner=1000']);
      const { stdout } = await container.run([program('uring'), 'unshare', file]);
      assert.equal(stdout, 'open=EACCES\n');
    },
    ioUring,
  );

  imafs.test(
    'a worker of an unjudged namespace does not open for a process that is judged',
    async () => {
      const file = imafs.put('uring-in', 'text\n', { label: 'none' });
      const container = await imafs.activated(['appraise fowner=1000']);
      const { stdout: control } = await imafs.system.run([program('uring'), file]);
      assert.equal(control, 'open=ok\nread=5 text\n');
      // The leader has come to the container, the worker is still outside.
      const enter = `/proc/${container.agentPid}/ns/mnt`;
      const { stdout } = await imafs.system.run([program('uring'), 'setns', enter, file]);
      assert.equal(stdout, 'open=EACCES\n');
    },
    ioUring,
  );

  imafs.test(
    "with borrowed credentials the stricter of both sets counts, for the ring's and the process's ids",
    async () => {
      const file = imafs.put('uring-personality', 'text\n', { label: 'none', owner: 0 });
      for (const [rule, expected] of [
        ['appraise uid=1500', 'open=EACCES\n'],
        ['appraise uid=0', 'open=EACCES\n'],
        ['appraise uid=1501', 'open=ok\nread=5 text\n'],
      ] as const) {
        const container = await imafs.activated([rule]);
        const { stdout } = await container.run([program('uring'), 'personality', '1500', file]);
        assert.equal(stdout, expected, rule);
      }
    },
    ioUring,
  );

  imafs.test(
    'an open by a worker is never remembered for others',
    async () => {
      const file = imafs.put('uring-cache', 'text\n', { label: 'none', owner: 0 });
      const container = await imafs.activated(['appraise uid=1500']);
      for (let round = 0; round < 3; round++) {
        const { stdout } = await container.run([program('uring'), 'personality', '1500', file]);
        assert.equal(stdout, 'open=EACCES\n');
        assert.deepEqual(await container.xt(`open r ${file}`), ['open=ok']);
        assert.deepEqual(await container.xt(withIds('as 1500 1500', file)), [
          'as=ok',
          'open=EACCES',
        ]);
      }
    },
    ioUring,
  );
});

describe('fsuid alone', () => {
  const imafs = useImafs();

  imafs.test('a thread whose fsuid differs from its euid is judged by its euid', async () => {
    const file = imafs.put('fsuid', 'text\n', { label: 'none', owner: 0 });
    const container = await imafs.activated(['appraise euid=1500']);
    assert.deepEqual(await container.xt(`fsuid 1500 , open r ${file}`), ['fsuid=ok', 'open=ok']);
  });
});
