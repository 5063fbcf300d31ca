import assert from 'node:assert/strict';
import { test } from 'node:test';
import { processMeasurement } from '../../../src/ima/process-measurement.js';
import { accessTo, FakeAudit, FakeFile, imaOf } from '../../unit/ima/fakes.js';
import { xattrVariants } from './xattr-variants.js';

for (const { name, xattr, kernel, ours = kernel } of xattrVariants) {
  test(`security.ima ${name}: ${ours === 'allowed' ? ours : ours.cause}`, async () => {
    const audit = new FakeAudit();
    const file = new FakeFile('content', xattr);
    const verdict = await processMeasurement(
      imaOf('enforce', 'appraise fowner=1000'),
      audit,
      accessTo(file),
    );
    if (ours === 'allowed') {
      assert.ok(verdict.allowed && verdict.appraised && verdict.cacheable);
      assert.deepEqual(audit.records, []);
    } else {
      assert.ok(!verdict.allowed);
      assert.equal(verdict.cause, ours.cause);
      assert.deepEqual(audit.records, [`1800 appraise_data ${ours.cause} res=0`]);
    }
  });
}
