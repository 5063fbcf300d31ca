import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FairQueue } from '../../../src/binding/fair-queue.js';

test('namespaces take turns, each in its own order', () => {
  const queue = new FairQueue<string>();
  for (const item of ['a1', 'a2', 'a3']) queue.add(1n, item);
  queue.add(2n, 'b1');
  queue.add(3n, 'c1');
  queue.add(2n, 'b2');
  const taken: (string | undefined)[] = [];
  while (queue.length > 0) taken.push(queue.take());
  assert.deepEqual(taken, ['a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
  assert.equal(queue.take(), undefined);
});
