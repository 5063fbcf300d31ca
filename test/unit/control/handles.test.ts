import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Denial, Namespace } from '../../../src/namespaces/namespace.js';
import { Fixture } from './fixture.js';

/** How many opens of `path` work until one is EMFILE, at most `most`. */
const opensUntilFull = async (
  fixture: Fixture,
  namespace: Namespace,
  path: string,
  most: number,
): Promise<number> => {
  for (let opened = 0; opened < most; opened += 1) {
    const error = await fixture.openError(fixture.caller(namespace), path);
    if (error === 'EMFILE') return opened;
    assert.equal(error, undefined);
  }
  return most;
};

test('a namespace holds 256 handles open, directories too, and others have theirs', async () => {
  const fixture = new Fixture();
  const root = fixture.caller(fixture.container);
  const first = await fixture.open(root, '4026532001/denials');
  assert.equal(await opensUntilFull(fixture, fixture.container, '4026532001/denials', 300), 255);
  assert.equal(await fixture.names(root, ''), 'EMFILE');
  assert.equal(
    await fixture.openError(fixture.caller(fixture.other), '4026532002/denials'),
    undefined,
  );
  await first.release();
  assert.equal(await fixture.openError(root, '4026532001/denials'), undefined);
});

test("the system's root may hold any number, and none of them is another's", async () => {
  const fixture = new Fixture();
  assert.equal(await opensUntilFull(fixture, fixture.system, '4026532001/denials', 1100), 1100);
  assert.equal(
    await fixture.openError(fixture.caller(fixture.container), '4026532001/denials'),
    undefined,
  );
});

test('many opens of a long file do not cost its size each', async () => {
  const fixture = new Fixture();
  const { container } = fixture;
  const root = fixture.caller(container);
  const path = `/${'long/'.repeat(800)}`;
  const before = process.memoryUsage().rss;
  const readers = [];
  for (let opened = 0; opened < 250; opened += 1) {
    container.record('denied', { path, cause: 'missing-hash' });
    container.denials.add({ path } as Denial);
    readers.push(await fixture.open(root, `4026532001/${opened % 2 === 0 ? 'events' : 'denials'}`));
    await readers.at(-1)?.read(0, 1);
  }
  assert.ok(process.memoryUsage().rss - before < 64 * 1024 * 1024);
});

test('a file of many lines reads the same in pieces of any size', async () => {
  const fixture = new Fixture();
  const { container } = fixture;
  for (const mode of ['fix', 'log', 'enforce']) {
    container.record('mode', { mode });
    container.denials.add({ cause: mode } as Denial);
  }
  const root = fixture.caller(container);
  for (const name of ['events', 'denials']) {
    const whole = await fixture.read(root, `4026532001/${name}`);
    const file = await fixture.open(root, `4026532001/${name}`);
    let pieces = '';
    for (let piece = '-'; piece !== ''; pieces += piece) {
      piece = await file.read(pieces.length, 7);
    }
    assert.equal(pieces, whole);
  }
});
