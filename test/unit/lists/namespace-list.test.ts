import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createLog } from '../../../src/base/log.js';
import { ListFailed } from '../../../src/ima/ports.js';
import type { ListSettings } from '../../../src/lists/list-settings.js';
import { ListDirectory } from '../../../src/lists/list-state.js';
import { NamespaceList } from '../../../src/lists/namespace-list.js';
import { entriesInTpm } from '../../../src/lists/reconcile.js';
import { entryFor, FakeTpm, templateOf } from './fixture.js';

const root = mkdtempSync(join(tmpdir(), 'imafs-list-'));
after(() => rmSync(root, { recursive: true }));

let made = 0;
class Scene {
  readonly directory = new ListDirectory(join(root, String(++made)));
  readonly tpm = new FakeTpm();
  began = 0;
  list: NamespaceList;

  constructor(private readonly given: Partial<ListSettings> = {}) {
    this.list = this.make();
  }

  make(given: Partial<ListSettings> = {}): NamespaceList {
    return new NamespaceList({
      directory: this.directory,
      namespace: 'system',
      bootId: 'boot',
      pcr: 10,
      isRequired: false,
      mostEntries: Number.POSITIVE_INFINITY,
      mayGrow: () => true,
      template: () => templateOf('ima-ng'),
      hashAlgorithm: () => 'sha256',
      began: () => void (this.began += 1),
      log: createLog('silent'),
      ...this.given,
      ...given,
    });
  }

  async open(): Promise<this> {
    await this.list.open(this.tpm, this.tpm.name);
    return this;
  }

  /** As after SIGKILL: nothing is closed. */
  async restart(given: Partial<ListSettings> = {}): Promise<this> {
    this.list = this.make(given);
    return this.open();
  }

  get names(): string[] {
    const text = String(this.list.current?.read('ascii', 'sha1', 0, 1_000_000) ?? '');
    return text.split('\n').flatMap((line) => line.split(' ')[4] ?? []);
  }

  /** All of the list is in the TPM, and nothing else. */
  async agrees(): Promise<void> {
    const { current } = this.list;
    assert.ok(current);
    assert.equal(await entriesInTpm(current, this.tpm, 10), current.count);
  }
}

test('a list begins with boot_aggregate; what is added once is there once', async () => {
  const scene = await new Scene().open();
  const states = await Promise.all(
    [entryFor('/a'), entryFor('/a'), entryFor('/b'), entryFor('/a', { pcr: 11 })].map((entry) =>
      scene.list.add(entry),
    ),
  );
  assert.deepEqual(
    states.map(({ state }) => state),
    ['added', 'exists', 'added', 'added'],
  );
  assert.deepEqual(await scene.list.add(entryFor('/b')), { state: 'exists' });
  for (let time = 0; time < 2; time++) await scene.list.add(entryFor('/v', { isViolation: true }));
  assert.deepEqual(scene.names, ['boot_aggregate', '/a', '/b', '/a', '/v', '/v']);
  assert.equal(scene.tpm.extends, 6);
  await scene.agrees();
  await scene.list.close();
  assert.equal(scene.tpm.isClosed, true);
  await assert.rejects(scene.list.add(entryFor('/late')), ListFailed);
});

test('a restart goes on where the PCR is, and records itself', async () => {
  const scene = await new Scene().open();
  await scene.list.add(entryFor('/a'));
  // Journalled, and then it crashed.
  scene.tpm.isLost = true;
  await scene.list.add(entryFor('/b'));
  scene.tpm.isLost = false;
  await scene.restart();
  assert.deepEqual(scene.names, ['boot_aggregate', '/a', '/b', 'imafs_restart']);
  assert.equal(scene.tpm.extends, 4);
  await scene.agrees();
  await scene.list.close();
});

for (const [why, change] of [
  ['another boot', { bootId: 'next' }],
  ['another namespace', { namespace: '7' }],
] as const) {
  test(`${why}: the list is put aside, and a new one waits for PCRs that are zero`, async () => {
    const scene = await new Scene().open();
    await assert.rejects(scene.restart(change), /PCR 10 of .* is in use/);
    assert.deepEqual(readdirSync(scene.directory.path).sort(), ['journal', 'state.json']);
    scene.tpm.reset();
    await scene.restart(change);
    assert.deepEqual(scene.names, ['boot_aggregate']);
    assert.equal(readdirSync(scene.directory.path).length, 3);
    await scene.list.close();
  });
}

test('a PCR that somebody else extended is no beginning of the list', async () => {
  const scene = await new Scene().open();
  const digests = [Buffer.alloc(20, 1), Buffer.alloc(32, 1)];
  const fd = scene.list.current?.descriptor ?? -1;
  await scene.tpm.extend({ pcr: 10, digests, journal: { fd, bytes: new Uint8Array() } });
  await assert.rejects(scene.restart(), /something else extends it/);
});

test('a full disk adds nothing, and the next one is added', async () => {
  const scene = await new Scene().open();
  scene.tpm.full = 'ENOSPC';
  await assert.rejects(scene.list.add(entryFor('/a')), { reason: 'ENOSPC' });
  scene.tpm.full = undefined;
  assert.deepEqual(await scene.list.add(entryFor('/a')), { state: 'added' });
  await scene.agrees();
  await scene.list.close();
});

test('two who want the same entry both learn that it could not be had', async () => {
  const scene = await new Scene().open();
  scene.tpm.full = 'EIO';
  const results = await Promise.allSettled([1, 2].map(() => scene.list.add(entryFor('/a'))));
  assert.deepEqual(
    results.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  await scene.list.close();
});

test('a lost TPM: listed and said; where it is required refused, and again at every asking', async () => {
  const tolerant = await new Scene().open();
  tolerant.tpm.isLost = true;
  assert.deepEqual(await tolerant.list.add(entryFor('/a')), { state: 'unextended', rc: 0xa000a });
  assert.deepEqual(await tolerant.list.add(entryFor('/a')), { state: 'exists' });
  assert.deepEqual([tolerant.list.standing, tolerant.list.extended], ['behind', 1]);
  await tolerant.list.close();

  const strict = await new Scene({ isRequired: true }).open();
  await strict.list.add(entryFor('/known'));
  strict.tpm.isLost = true;
  for (const name of ['/a', '/a', '/b']) {
    await assert.rejects(strict.list.add(entryFor(name)), { reason: 'TPM_error(655370)' });
  }
  assert.deepEqual(await strict.list.add(entryFor('/known')), { state: 'exists' });
  await strict.list.close();
});

const until = async (holds: () => boolean): Promise<void> => {
  for (let tries = 0; tries < 300 && !holds(); tries++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.ok(holds());
};

test('a TPM that comes back as it was gets what it missed', async () => {
  const scene = await new Scene().open();
  scene.tpm.isLost = true;
  await scene.list.add(entryFor('/a'));
  await scene.list.add(entryFor('/b'));
  scene.tpm.isLost = false;
  await until(() => scene.list.standing === 'in step');
  assert.equal(scene.began, 1, 'only at the first opening');
  await scene.agrees();
  assert.equal(scene.list.extended, 3);
  await scene.list.close();
});

test('a TPM that comes back reset has a new list, and what was measured is to be measured again', async () => {
  const scene = await new Scene().open();
  await scene.list.add(entryFor('/a'));
  const old = scene.list.current;
  scene.tpm.isLost = true;
  await scene.list.add(entryFor('/b'));
  scene.tpm.isLost = false;
  scene.tpm.reset();
  await until(() => scene.list.standing === 'in step');
  assert.equal(scene.began, 2);
  assert.deepEqual(scene.names, ['boot_aggregate']);
  assert.equal(old?.read('ascii', 'sha1', 0, 10).length, 0);
  assert.deepEqual(await scene.list.add(entryFor('/a')), { state: 'added' });
  await scene.agrees();
  await scene.list.close();
});

test('a reset is noticed though nothing is measured', async () => {
  const scene = await new Scene().open();
  scene.tpm.reset();
  await until(() => scene.began === 2 && scene.list.standing === 'in step');
  assert.deepEqual(scene.names, ['boot_aggregate']);
  await scene.agrees();
  await scene.list.close();
});

test('a new list that cannot begin is tried again; nothing is taken for measured meanwhile', async () => {
  const scene = await new Scene().open();
  await scene.list.add(entryFor('/a'));
  scene.tpm.reset();
  scene.tpm.full = 'ENOSPC';
  await until(() => scene.began > 1);
  await assert.rejects(scene.list.add(entryFor('/a')), ListFailed);
  scene.tpm.full = undefined;
  await until(() => scene.list.standing === 'in step');
  assert.deepEqual(await scene.list.add(entryFor('/a')), { state: 'added' });
  await scene.agrees();
  await scene.list.close();
});

test('a TPM that is looked for slowly keeps nobody waiting', async () => {
  const scene = await new Scene().open();
  scene.tpm.isLost = true;
  await scene.list.add(entryFor('/a'));
  scene.tpm.reconnect = () => new Promise((_, reject) => setTimeout(reject, 5000).unref());
  await new Promise((resolve) => setTimeout(resolve, 1200));
  const began = performance.now();
  assert.equal((await scene.list.add(entryFor('/b'))).state, 'unextended');
  assert.ok(performance.now() - began < 1000);
  await scene.list.close();
});

test('a PCR of a rule must be there, and be zero, before anything goes to it', async () => {
  const scene = await new Scene().open();
  const missing = scene.list.add(entryFor('/a', { pcr: 24 }));
  await assert.rejects(missing, { reason: 'there is no PCR 24' });
  const digests = [Buffer.alloc(20, 1), Buffer.alloc(32, 1)];
  const fd = scene.list.current?.descriptor ?? -1;
  await scene.tpm.extend({ pcr: 11, digests, journal: { fd, bytes: new Uint8Array() } });
  await assert.rejects(scene.list.add(entryFor('/a', { pcr: 11 })), { reason: 'PCR 11 is in use' });
  assert.deepEqual(await scene.list.add(entryFor('/a', { pcr: 12 })), { state: 'added' });
  await scene.restart();
  assert.deepEqual(await scene.list.add(entryFor('/b', { pcr: 12 })), { state: 'added' });
  await scene.agrees();
  await scene.list.close();
});

test('the bytes of an owner are bounded', async () => {
  let left = 2000;
  const mayGrow = (bytes: number): boolean => (left -= bytes) >= 0;
  const scene = await new Scene({ mayGrow }).open();
  const states = await Promise.allSettled(
    Array.from({ length: 20 }, (_, index) => scene.list.add(entryFor(`/${index}`))),
  );
  const refused = states.filter(({ status }) => status === 'rejected').length;
  assert.ok(refused > 5 && refused < 19, String(refused));
  await scene.list.close();
});

for (const isReset of [false, true]) {
  test(`a TPM that comes back ${isReset ? 'reset' : 'as it was'} under load`, async () => {
    const scene = await new Scene().open();
    let isOver = false;
    const load = [0, 1, 2, 3].map(async (part) => {
      for (let index = 0; !isOver; index++) {
        await scene.list.add(entryFor(`/${part}/${index}`));
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    scene.tpm.isLost = true;
    await until(() => scene.list.standing === 'behind');
    if (isReset) scene.tpm.reset();
    scene.tpm.isLost = false;
    await until(() => scene.list.standing === 'in step');
    await new Promise((resolve) => setTimeout(resolve, 50));
    isOver = true;
    await Promise.all(load);
    assert.equal(scene.list.standing, 'in step');
    await scene.agrees();
    await scene.list.close();
  });
}

test('one entry finds no room and a shorter one behind it does', async () => {
  const scene = await new Scene().open();
  scene.tpm.tooLong = (bytes) => bytes.length > 1000;
  const states = await Promise.allSettled(
    [entryFor(`/${'long'.repeat(300)}`), entryFor('/short')].map((entry) => scene.list.add(entry)),
  );
  assert.deepEqual(
    states.map(({ status }) => status),
    ['rejected', 'fulfilled'],
  );
  await scene.list.add(entryFor('/more'));
  assert.deepEqual(scene.names, ['boot_aggregate', '/short', '/more']);
  await scene.agrees();
  await scene.restart();
  assert.deepEqual(scene.names.slice(0, 3), ['boot_aggregate', '/short', '/more']);
  await scene.list.close();
});

test('a PCR that nobody could look at is not extended, and is once somebody can', async () => {
  const scene = await new Scene().open();
  scene.tpm.isLost = true;
  await scene.list.add(entryFor('/a'));
  await assert.rejects(scene.list.add(entryFor('/b', { pcr: 11 })), ListFailed);
  scene.tpm.isLost = false;
  await until(() => scene.list.standing === 'in step');
  assert.deepEqual(await scene.list.add(entryFor('/b', { pcr: 11 })), { state: 'added' });
  await scene.agrees();
  await scene.list.close();
});

test('a list that is full refuses, and violations count too', async () => {
  const scene = await new Scene({ mostEntries: 3 }).open();
  await scene.list.add(entryFor('/a'));
  await scene.list.add(entryFor('/v', { isViolation: true }));
  await assert.rejects(scene.list.add(entryFor('/b')), { reason: 'EDQUOT' });
  await assert.rejects(scene.list.add(entryFor('/v', { isViolation: true })), { reason: 'EDQUOT' });
  assert.deepEqual(await scene.list.add(entryFor('/a')), { state: 'exists' });
  await scene.list.close();
});

test('another TPM before the first measurement, not after; one in use is not taken', async () => {
  const scene = await new Scene().open();
  const used = await new Scene().open();
  await assert.rejects(
    scene.list.changeTpm('used', () => Promise.resolve(used.tpm)),
    /is in use/,
  );
  assert.equal(scene.list.tpm, scene.tpm);
  const next = new FakeTpm();
  assert.equal(await scene.list.changeTpm('next', () => Promise.resolve(next)), true);
  assert.deepEqual([scene.tpm.isClosed, scene.list.tpm], [true, next]);
  assert.deepEqual(scene.names, ['boot_aggregate']);
  await scene.list.add(entryFor('/a'));
  const late = new FakeTpm();
  assert.equal(await scene.list.changeTpm('late', () => Promise.resolve(late)), false);
  assert.equal(next.isClosed, false);
  await Promise.all([scene.list.close(), used.list.close()]);
});

test('nothing is added while the list is opened or closed, nothing that was begun is lost', async () => {
  const scene = new Scene();
  const opening = scene.open();
  const early = scene.list.add(entryFor('/early'));
  await opening;
  assert.deepEqual(await early, { state: 'added' });
  let resume = (): void => undefined;
  scene.tpm.pause = new Promise<void>((resolve) => (resume = resolve));
  const slow = [entryFor('/slow'), entryFor('/v', { isViolation: true })].map((entry) =>
    scene.list.add(entry),
  );
  await new Promise(setImmediate);
  const closing = scene.list.close();
  const late = assert.rejects(scene.list.add(entryFor('/late')), { reason: 'closed' });
  assert.equal(scene.tpm.isClosed, false);
  resume();
  await late;
  assert.deepEqual(await Promise.all(slow), [{ state: 'added' }, { state: 'added' }]);
  await closing;
});

test('the namespace ends: nothing is left of its list', async () => {
  const scene = await new Scene().open();
  await scene.list.discard();
  assert.equal(readdirSync(root).includes(String(made)), false);
});
