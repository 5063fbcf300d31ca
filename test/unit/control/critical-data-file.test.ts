import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fixture } from './fixture.js';

const FILE = '4026532001/critical_data';

test('one write is one event: label, name, data', async () => {
  const fixture = new Fixture();
  const own = fixture.caller(fixture.container);
  assert.equal(await fixture.write(own, FILE, 'my_app its state 1\n{"a":\n1}\n'), undefined);
  assert.deepEqual(fixture.done, [
    'measure CRITICAL_DATA my_app its state 1 {"a":\n1}\n for 4026532001',
  ]);
});

test('what has no label, name or data is no event', async () => {
  const fixture = new Fixture();
  const root = fixture.caller(fixture.system);
  for (const text of [
    '\ndata',
    'label\ndata',
    'label \ndata',
    ' name\ndata',
    'label name\n',
    'label name',
  ]) {
    assert.equal(await fixture.write(root, FILE, text), 'EINVAL', text);
  }
  assert.equal(await fixture.write(root, FILE, `a b\n${'x'.repeat(65_536)}`), 'EFBIG');
  assert.deepEqual(fixture.done, []);
});

test('what must be measured and cannot be is an error', async () => {
  const fixture = new Fixture();
  const root = fixture.caller(fixture.system);
  assert.equal(await fixture.write(root, FILE, 'unmeasurable b\nc'), 'EIO');
});
