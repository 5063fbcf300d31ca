import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changeIma } from '../../../src/ima/ima.js';
import { BufferMeasurements } from '../../../src/namespaces/buffer-measurements.js';
import { LIMITS, Namespace } from '../../../src/namespaces/namespace.js';
import { fakeIma } from '../../helpers/fake-list.js';
import { callerIn, SYSTEM } from '../../helpers/fake-transport.js';
import { policyOf } from './fixture.js';

const OWNER = { userNamespace: 7, rootUid: 100_000, rootGid: 100_000 };

const AUDIT = {
  measurement: () => undefined,
  integrity: () => undefined,
  settled: () => Promise.resolve(),
};

class Fixture {
  readonly #ima = fakeIma();
  readonly list = this.#ima.list;
  readonly system = new Namespace(1n, 1001, true, this.#ima, undefined);
  readonly container = new Namespace(2n, 1002, false, fakeIma(), undefined);
  readonly measurements = new BufferMeasurements({
    registry: {
      judges: () =>
        Promise.resolve([
          { namespace: this.system, scope: this.container, ima: this.system.ima, subjects: [] },
        ]),
    },
    audit: { forAccess: () => AUDIT },
  });

  measure(namespace: Namespace, bytes: Uint8Array, eventName = 'event'): Promise<boolean> {
    const buffer = { hook: 'CRITICAL_DATA', eventName, data: 'label', bytes } as const;
    return this.measurements.measure(namespace, callerIn(SYSTEM), buffer);
  }
}

test("a container's events have their share of the system's list, where a rule wants them", async () => {
  const fixture = new Fixture();
  // With what is kept of an entry besides, four fit.
  const quarter = (fill: number) => Buffer.alloc(LIMITS.foreignBufferBytes / 4 - 1024, fill);
  for (let written = 0; written < 5; written++) {
    assert.equal(
      await fixture.measure(fixture.container, quarter(written)),
      true,
      'no rule wants it',
    );
  }
  changeIma(fixture.system.ima, { policy: policyOf('measure func=CRITICAL_DATA') });
  for (let written = 0; written < 4; written++) {
    assert.equal(await fixture.measure(fixture.container, quarter(written)), true);
  }
  assert.equal(fixture.list.entries.length, 4);
  assert.equal(await fixture.measure(fixture.container, Buffer.alloc(8192)), false);
  assert.equal(fixture.list.entries.length, 4);
  assert.equal(await fixture.measure(fixture.system, quarter(5)), true, "the system's own");
  const [event] = fixture.system.events.entries();
  assert.deepEqual(event?.detail, { unmeasured: 'mnt-ns=1002:event', cause: 'EDQUOT' });
});

test('a name counts as well as data, and one uid has one share for all its namespaces', async () => {
  const fixture = new Fixture();
  changeIma(fixture.system.ima, { policy: policyOf('measure func=CRITICAL_DATA') });
  let taken = 0;
  for (const id of [2n, 3n]) {
    const namespace = new Namespace(id, Number(id), false, fakeIma(), OWNER);
    for (let number = 0; number < 100; number++) {
      const name = `${number}${'n'.repeat(60_000)}`;
      if (await fixture.measure(namespace, Buffer.of(0), name)) taken += 1;
    }
  }
  assert.equal(taken, Math.floor(LIMITS.foreignBufferBytes / 60_514));
});
