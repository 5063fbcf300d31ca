import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { namespaceIds, namespacePlace } from '../../../src/namespaces/namespace-ids.js';
import { processIn } from './fixture.js';

/** A kernel whose ids are inode numbers: who is where, and what is held. */
class OldKernel {
  inhabitants = new Map<number, bigint>();
  readonly bound = new Set<number>();
  readonly open = new Map<number, bigint>();
  readonly forgotten: bigint[] = [];
  #next = 100;

  readonly ids = namespaceIds({
    addon: {
      namespaceIdsAreUnique: () => false,
      namespaceLives: () => undefined,
      pinNamespace: (path, scope) => {
        const found = [...this.inhabitants].find(([pid]) => path === namespacePlace(pid));
        if (found?.[1] !== scope) return undefined;
        this.open.set(++this.#next, scope);
        return this.#next;
      },
      closeDescriptor: (fd) => void this.open.delete(fd),
      walkProcesses: () =>
        Promise.resolve([...this.inhabitants].map(([pid, scope]) => processIn(scope, pid))),
    },
    boundNames: () => this.bound,
    forgotten: (scope) => void this.forgotten.push(scope),
  });

  held(): bigint[] {
    return [...this.open.values()];
  }

  async walks(count: number): Promise<void> {
    for (let walk = 0; walk < count; walk++) await this.ids.walkProcesses();
  }
}

describe('ids that are inode numbers', () => {
  test('what is kept for a namespace holds it, once', () => {
    const kernel = new OldKernel();
    kernel.inhabitants.set(7, 70n);
    assert.ok(kernel.ids.hold(70n, namespacePlace(7)));
    assert.ok(kernel.ids.hold(70n, namespacePlace(8)), 'it is held: who asks need not be there');
    assert.deepEqual(kernel.held(), [70n]);
    kernel.ids.release(70n);
    assert.deepEqual(kernel.held(), []);
    kernel.ids.release(70n);
  });

  test('a task that is elsewhere by now holds nothing', () => {
    const kernel = new OldKernel();
    kernel.inhabitants.set(7, 71n);
    assert.equal(kernel.ids.hold(70n, namespacePlace(7)), false);
    assert.equal(kernel.ids.namespaceLives(70n), undefined);
    assert.deepEqual(kernel.held(), []);
  });

  test('it has ended when three walks in a row found nobody', async () => {
    const kernel = new OldKernel();
    kernel.inhabitants.set(7, 70n);
    kernel.ids.hold(70n, namespacePlace(7));
    kernel.inhabitants.clear();
    await kernel.walks(2);
    assert.equal(kernel.ids.namespaceLives(70n), true);
    kernel.inhabitants.set(8, 70n);
    await kernel.walks(1);
    kernel.inhabitants.clear();
    await kernel.walks(2);
    assert.equal(kernel.ids.namespaceLives(70n), true, 'somebody was seen in between');
    await kernel.walks(1);
    assert.equal(kernel.ids.namespaceLives(70n), false);
    assert.deepEqual(kernel.held(), [70n], 'held until it is released');
  });

  test('a bind mount keeps it', async () => {
    const kernel = new OldKernel();
    kernel.inhabitants.set(7, 70n);
    kernel.ids.hold(70n, namespacePlace(7));
    kernel.inhabitants.clear();
    kernel.bound.add(70);
    await kernel.walks(5);
    assert.equal(kernel.ids.namespaceLives(70n), true);
  });

  test('what walks found is held too, and forgotten by itself', async () => {
    const kernel = new OldKernel();
    kernel.inhabitants.set(7, 70n);
    await kernel.walks(1);
    assert.deepEqual(kernel.held(), [70n]);
    kernel.inhabitants.clear();
    await kernel.walks(3);
    assert.deepEqual(kernel.held(), []);
    assert.deepEqual(kernel.forgotten, [70n]);
  });
});
