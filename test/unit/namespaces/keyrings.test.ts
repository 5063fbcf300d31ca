import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failure, success } from '../../../src/base/result.js';
import { Keyring, type TrustedKey } from '../../../src/ima/keyring/keyring.js';
import { parseBlacklistEntry } from '../../../src/keys/blacklist-file.js';
import { Keyrings } from '../../../src/namespaces/keyrings.js';
import { LIMITS, Namespace } from '../../../src/namespaces/namespace.js';
import { fakeIma } from '../../helpers/fake-list.js';
import { callerIn, SYSTEM } from '../../helpers/fake-transport.js';

function key(keyId: number, certificate = keyId): TrustedKey {
  const description = `key ${keyId}: ${keyId}`;
  return { keyId, description, certificate: Buffer.of(certificate), verify: () => false };
}

class Fixture {
  readonly system = new Namespace(1n, 1001, true, fakeIma(), undefined);
  readonly container = new Namespace(
    2n,
    1002,
    false,
    fakeIma({ keyring: new Keyring(this.system.ima.keyring) }),
    undefined,
  );
  changes = 0;
  readonly measured: string[] = [];

  readonly keyrings = new Keyrings({
    registry: {
      system: this.system,
      known: () => [this.system, this.container],
      changedBy: () => {
        this.changes += 1;
      },
    },
    admit: (content) =>
      content[0] === 0
        ? failure({
            errno: 'ENOKEY',
            description: 'bad: 00',
            reasons: [{ reason: 'no CA', remedy: 'ask one' }],
          })
        : success(key(content[0] ?? 0, content[1])),
    measurements: {
      measure: ({ name }, _caller, { hook, data, bytes }) => {
        this.measured.push(`${hook} ${data} ${bytes[0]} for ${name} and its judges`);
        return Promise.resolve(bytes[0] !== 99);
      },
      measureBy: ({ name }, _caller, { bytes }) => {
        this.measured.push(`${bytes[0]} for ${name}`);
        return Promise.resolve(true);
      },
    },
    parseBlacklistEntry,
  });

  add(...bytes: number[]): Promise<string | undefined> {
    return this.keyrings.add(this.container, Buffer.from(bytes), callerIn(SYSTEM));
  }
}

const events = ({ events: ring }: Namespace): unknown[] =>
  ring.entries().map(({ event, detail }) => [event, detail]);

test('a key that is new voids what was decided', async () => {
  const fixture = new Fixture();
  const { ima } = fixture.container;
  assert.equal(await fixture.add(7, 7), undefined);
  assert.equal(ima.keyring.find(7)?.keyId, 7);
  assert.deepEqual([ima.generation, fixture.changes], [1, 1]);
  assert.deepEqual(events(fixture.container), [['keys', { keyring: '.ima', added: 'key 7: 7' }]]);
  // The same once more is nothing new.
  assert.equal(await fixture.add(7, 7), undefined);
  assert.deepEqual([ima.generation, fixture.changes], [1, 1]);
});

test('why a certificate was refused is kept', async () => {
  const fixture = new Fixture();
  assert.equal(await fixture.add(0), 'ENOKEY');
  const refusal = fixture.keyrings.lastRefusal(fixture.container);
  assert.equal(refusal?.reasons[0]?.remedy, 'ask one');
  assert.equal(fixture.changes, 0);
  assert.deepEqual(events(fixture.container), [
    ['keys', { keyring: '.ima', refused: 'bad: 00', reason: 'no CA' }],
  ]);
});

test('a namespace has room for so many keys and entries; others of the same id take no more', async () => {
  const fixture = new Fixture();
  const { keyring } = fixture.container.ima;
  for (let id = 1000; keyring.keys().length < LIMITS.keys; id++) keyring.add(key(id));
  assert.equal(await fixture.add(7), 'ENOSPC');
  keyring.add(key(7, 1));
  assert.equal(await fixture.add(7, 2), undefined);
  for (let entry = 0; entry < LIMITS.blacklist; entry++) {
    const line = `bin:${entry.toString(16).padStart(4, '0')}`;
    assert.equal(fixture.keyrings.blacklist(fixture.container, line), undefined);
  }
  assert.equal(fixture.keyrings.blacklist(fixture.container, 'bin:ffff'), 'ENOSPC');
  assert.equal(fixture.keyrings.blacklist(fixture.system, 'bin:ffff'), undefined);
});

test('what the system blacklists voids what every namespace decided', () => {
  const fixture = new Fixture();
  assert.equal(fixture.keyrings.blacklist(fixture.system, 'bin:00'), undefined);
  assert.deepEqual([fixture.system.ima.generation, fixture.container.ima.generation], [1, 1]);
  assert.equal(fixture.container.ima.keyring.isBlacklisted('bin', Buffer.of(0)), true);
  assert.equal(fixture.keyrings.blacklist(fixture.container, 'tbs:01'), undefined);
  assert.deepEqual([fixture.system.ima.generation, fixture.container.ima.generation], [1, 2]);
  assert.equal(fixture.system.ima.keyring.isBlacklisted('tbs', Buffer.of(1)), false);
});

test('of a namespace that ended nothing is taken, nor what is no entry', async () => {
  const fixture = new Fixture();
  for (const line of [
    '',
    'bin:',
    'bin:0',
    'BIN:00',
    'sha256:00',
    'bin:AA',
    `bin:${'00'.repeat(65)}`,
  ]) {
    assert.equal(fixture.keyrings.blacklist(fixture.container, line), 'EINVAL', line);
  }
  fixture.container.retire();
  assert.equal(await fixture.add(7), 'EINVAL');
  assert.equal(fixture.keyrings.blacklist(fixture.container, 'bin:00'), 'EINVAL');
});

test('a key is measured before it counts; one that cannot be is not added', async () => {
  const fixture = new Fixture();
  assert.equal(await fixture.add(7, 7), undefined);
  assert.equal(await fixture.add(9, 99), 'EIO');
  assert.equal(await fixture.add(0), 'ENOKEY');
  assert.deepEqual(fixture.measured, [
    'KEY_CHECK .ima 7 for 1002 and its judges',
    'KEY_CHECK .ima 99 for 1002 and its judges',
  ]);
  assert.equal(fixture.container.ima.keyring.find(9), undefined);
});

test('the first policy measures what the keyring has already', async () => {
  const fixture = new Fixture();
  for (const id of [3, 4]) fixture.container.ima.keyring.add(key(id));
  await fixture.keyrings.measureQueued(fixture.container, callerIn(SYSTEM));
  assert.deepEqual(fixture.measured, ['3 for 1002', '4 for 1002']);
});
