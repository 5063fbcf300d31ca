import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadAddon } from '../../../src/binding/addon.js';
import { Keyring } from '../../../src/ima/keyring/keyring.js';
import { processMeasurement } from '../../../src/ima/process-measurement.js';
import { parseCertificate } from '../../../src/keys/certificate.js';
import { trustedKey } from '../../../src/keys/trusted-key.js';
import { fakeIma } from '../../helpers/fake-list.js';
import { accessTo, FakeAudit, FakeFile, policyOf } from '../../unit/ima/fakes.js';
import { certificate, content, rules, signatures } from './signatures.js';

const keyring = new Keyring();
const parsed = parseCertificate(certificate);
assert.ok(parsed.ok);
keyring.add(trustedKey(parsed.value, (spki) => loadAddon().publicKey(spki)));

for (const fact of signatures) {
  for (const [kind, rule] of Object.entries(rules) as ['imasig' | 'sigv3' | 'any', string][]) {
    test(`${fact.name} under ${rule}: ${fact[kind]}, as by the kernel`, async () => {
      const file = new FakeFile(content, fact.xattr);
      const ima = fakeIma({ mode: 'enforce', policy: policyOf(rule), keyring });
      const audit = new FakeAudit();
      const verdict = await processMeasurement(ima, audit, accessTo(file));
      assert.equal(verdict.allowed ? 'PASS' : verdict.cause, fact[kind]);
      const recorded = fact[kind] === 'PASS' ? [] : [`1800 appraise_data ${fact[kind]} res=0`];
      assert.deepEqual(audit.records, recorded);
    });
  }
}
