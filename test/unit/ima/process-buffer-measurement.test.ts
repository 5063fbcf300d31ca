import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import {
  type MeasuredBuffer,
  processBufferMeasurement,
} from '../../../src/ima/process-buffer-measurement.js';
import type { FakeIma } from '../../helpers/fake-list.js';
import { FakeAudit, imaOf, user } from './fakes.js';

const bytes = Buffer.from('a certificate');
const hex = bytes.toString('hex');
const sha256 = createHash('sha256').update(bytes).digest('hex');

const KEY: MeasuredBuffer = { hook: 'KEY_CHECK', eventName: '.ima', data: '.ima', bytes };
const DATA: MeasuredBuffer = {
  hook: 'CRITICAL_DATA',
  eventName: 'kernel version',
  data: 'kernel_info',
  bytes,
};

/** What the list shows behind its template hashes. */
const shown = ({ list }: FakeIma): string[] =>
  list.lines().map((line) => line.replace(/ [0-9a-f]{40} /, ' '));

const measure = (ima: FakeIma, buffer: MeasuredBuffer, uid = 0, audit = new FakeAudit()) =>
  processBufferMeasurement(ima, audit, user(uid), buffer);

test('a key is shown with its keyring’s name and its certificate, once', async () => {
  const ima = imaOf('enforce', 'measure func=KEY_CHECK');
  assert.equal(await measure(ima, KEY), undefined);
  assert.equal(await measure(ima, KEY), undefined);
  assert.deepEqual(shown(ima), [`10 ima-buf sha256:${sha256} .ima ${hex}`]);
});

test('rules without the hook, for other keyrings, labels or ids want nothing', async () => {
  const ima = imaOf(
    'enforce',
    'measure',
    'measure func=KEY_CHECK keyrings=.evm|.platform',
    'measure func=KEY_CHECK uid=1000',
    'measure func=CRITICAL_DATA label=selinux',
  );
  for (const buffer of [KEY, DATA]) assert.equal(await measure(ima, buffer), undefined);
  assert.deepEqual(shown(ima), []);
  await measure(ima, KEY, 1000);
  assert.equal(ima.list.entries.length, 1);
});

test('the first rule that matches decides, dont_measure too', async () => {
  const ima = imaOf('enforce', 'dont_measure func=KEY_CHECK uid=0', 'measure func=KEY_CHECK');
  await measure(ima, KEY);
  assert.deepEqual(shown(ima), []);
  await measure(ima, KEY, 1);
  assert.equal(ima.list.entries.length, 1);
});

test('PCR and template are the rule’s; critical data goes by its label', async () => {
  const ima = imaOf(
    'enforce',
    'measure func=KEY_CHECK keyrings=.ima pcr=11 template=ima-ng',
    'measure func=CRITICAL_DATA label=other|kernel_info',
  );
  await measure(ima, KEY);
  await measure(ima, DATA);
  assert.deepEqual(shown(ima), [
    `11 ima-ng sha256:${sha256} .ima`,
    `10 ima-buf sha256:${sha256} kernel_version ${hex}`,
  ]);
});

test('with appraisal off it is measured as well', async () => {
  const ima = imaOf('off', 'measure func=KEY_CHECK');
  await measure(ima, KEY);
  assert.equal(ima.list.entries.length, 1);
});

test('what cannot be listed is a cause, and a record of its own', async () => {
  const ima = imaOf('enforce', 'measure func=KEY_CHECK', 'measure func=CRITICAL_DATA');
  ima.list.failing = 'ENOSPC';
  const audit = new FakeAudit();
  assert.equal(await measure(ima, KEY, 0, audit), 'ENOSPC');
  assert.equal(await measure(ima, DATA, 0, audit), 'ENOSPC');
  assert.deepEqual(audit.records, [
    '1804 add_template_measure ENOSPC res=0',
    '1804 measuring_key store_entry res=0',
    '1804 add_template_measure ENOSPC res=0',
    '1804 measuring_critical_data store_entry res=0',
  ]);
});
