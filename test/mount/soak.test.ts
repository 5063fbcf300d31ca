/**
 * Mixed operations by processes that meddle with each other's files, in two namespaces. At the end nothing
 * is left over: no descriptor, no node, no handle, no backing id, no memory. `make soak` does a million.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { useImafs } from '../helpers/imafs.js';
import { program } from '../helpers/programs.js';
import { SLOWNESS } from '../helpers/slowness.js';

const OPERATIONS = Number(process.env['IMAFS_SOAK'] ?? 20_000);
const ROUNDS = 5;
/** What a heap may grow by while it is used alike, in KiB: V8, malloc and sanitizers give back late. */
const MOST_GROWTH_KIB = 24 * 1024 * SLOWNESS;
const PER_OPERATION_MS = 20;

for (const passthrough of ['rw', 'off']) {
  describe(`${OPERATIONS} operations, passthrough=${passthrough}`, () => {
    const imafs = useImafs({
      policy: ['appraise fowner=1000', 'audit func=FILE_CHECK uid=4242'],
      options: { passthrough },
    });

    async function counters(): Promise<Record<string, number>> {
      const { mount } = (await imafs.status()) as { mount: { counters: Record<string, number> } };
      return mount.counters;
    }

    /** Once the kernel has forgotten what it can. */
    async function left(): Promise<Record<string, number>> {
      for (let tries = 0; ; tries++) {
        writeFileSync('/proc/sys/vm/drop_caches', '2');
        const { nodes = 0, handles = 0, backingIds = 0 } = await counters();
        const now = { nodes, handles, backingIds };
        if (tries === 100 || (nodes <= 1 && handles === 0 && backingIds === 0)) return now;
        await sleep(100);
      }
    }

    function memoryKib(): number {
      const status = readFileSync(`/proc/${imafs.daemon.pid}/status`, 'latin1');
      return Number(/^RssAnon:\s*(\d+)/m.exec(status)?.[1]);
    }

    imafs.test(
      'leave nothing behind',
      async () => {
        const container = await imafs.activated(['appraise fowner=1001']);
        const sizes: number[] = [];
        for (let round = 0; round < ROUNDS; round++) {
          const each = String(Math.round(OPERATIONS / ROUNDS / 2));
          const soak = (seed: number): string[] => [
            program('soak'),
            imafs.mountpoint,
            each,
            String(seed),
          ];
          const timeoutMs = (OPERATIONS / ROUNDS) * PER_OPERATION_MS + 20_000;
          await Promise.all([
            imafs.system.ok(soak(round), { timeoutMs }),
            container.ok(soak(round + 100), { timeoutMs }),
          ]);
          await imafs.shell('rm -rf $BACKING/d*');
          await imafs.system.ok(['sh', '-c', `ls -lR ${imafs.mountpoint} >/dev/null`]);
          // The kernel asks about each open's file anew, so open files are all that can stay.
          assert.deepEqual(await left(), { nodes: 1, handles: 0, backingIds: 0 });
          sizes.push(memoryKib());
        }
        const [, second = 0] = sizes;
        const growth = (sizes.at(-1) ?? 0) - second;
        assert.ok(growth < MOST_GROWTH_KIB, `KiB after each round: ${sizes.join(', ')}`);
      },
      { timeout: OPERATIONS * PER_OPERATION_MS + 60_000 },
    );
  });
}
