/** What a rule demands besides its action: digests, algorithms, signatures, O_DIRECT. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Keyring } from '../../../src/ima/keyring/keyring.js';
import { Policy } from '../../../src/ima/policy/policy.js';
import { type AppendedSignature, MAY_EXEC, MAY_READ, MAY_WRITE } from '../../../src/ima/ports.js';
import type { Access } from '../../../src/ima/process-measurement.js';
import { processMeasurement } from '../../../src/ima/process-measurement.js';
import { fakeIma } from '../../helpers/fake-list.js';
import { accessTo, FakeAudit, FakeFile, imaOf } from './fakes.js';

const judge = async (
  rules: readonly string[],
  file: FakeFile,
  facts: Partial<Access> = {},
  change: (keyring: Keyring) => void = () => undefined,
) => {
  const ima = imaOf('enforce', ...rules);
  change(ima.keyring);
  const audit = new FakeAudit();
  const verdict = await processMeasurement(ima, audit, accessTo(file, facts));
  return { verdict, ima, audit, result: verdict.allowed ? 'allowed' : verdict.cause };
};

const labelled = () => new FakeFile('content', '0404{sha256}');

/** 03, version 2, sha256, a key id, and one byte that is no signature. */
const signed = () => new FakeFile('content', '0302041234567800' + '01aa');

test('a digest of another algorithm than the rule allows is refused each time', async () => {
  const { verdict, ima, audit } = await judge(['appraise appraise_algos=sha512'], labelled());
  assert.ok(!verdict.allowed && verdict.cause === 'denied-hash-algorithm');
  assert.deepEqual(audit.records, ['1800 collect_data denied-hash-algorithm res=0']);
  const again = await processMeasurement(ima, audit, accessTo(labelled()));
  assert.equal(again.allowed, false, 'the kernel caches the PASS that came before the check');
  const allowed = await judge(['appraise appraise_algos=sha256,sha512'], labelled());
  assert.equal(allowed.result, 'allowed');
});

test('O_DIRECT passes where a rule permits it, whatever family that is of', async () => {
  const direct = { directIo: true };
  assert.equal((await judge(['appraise'], labelled(), direct)).result, 'failed(directio)');
  const permitted = await judge(['appraise permit_directio'], labelled(), direct);
  assert.equal(permitted.result, 'allowed');
  assert.deepEqual(permitted.audit.records, ['1800 collect_data failed(directio) res=0']);
  const byOther = await judge(['appraise', 'audit permit_directio'], labelled(), direct);
  assert.equal(byOther.result, 'allowed');
});

test('who writes to a signed file is refused, however the signature fares, and without a record', async () => {
  const writing = { mask: MAY_WRITE, writable: true };
  const portable = labelled();
  portable.xattrs.set('security.evm', Uint8Array.of(0x05, 2));
  for (const rule of ['appraise', 'appraise appraise_type=imasig']) {
    assert.equal((await judge([rule], signed(), writing)).result, 'invalid-signature');
  }
  assert.equal((await judge(['measure'], signed(), writing)).result, 'allowed');
  assert.equal((await judge(['appraise'], portable)).result, 'invalid-HMAC');
  const broken = labelled();
  broken.xattrs.set('security.evm', Uint8Array.from([0x05, 2, 4, 1, 2, 3, 4, 0, 9, 0xaa]));
  assert.equal((await judge(['appraise'], broken)).result, 'invalid-fail-immutable');
});

test('a file that somebody can store into is not mapped to be executed', async () => {
  const mapping = { hook: 'MMAP_CHECK', mask: MAY_EXEC } as const;
  const file = labelled();
  file.isMapped = true;
  const { result, audit } = await judge(['appraise func=MMAP_CHECK'], file, mapping);
  assert.equal(result, 'mmapped_writers');
  assert.deepEqual(audit.records, ['1800 mmap_file mmapped_writers res=0']);
  assert.equal((await judge(['appraise'], file)).result, 'allowed');
});

test("fs-verity's digest is measured as what it is, and appraised by a signature alone", async () => {
  const file = labelled();
  const rule = 'measure digest_type=verity template=ima-ngv2';
  const { ima } = await judge([rule], file);
  const verity = Buffer.from((await file.verityDigest('sha256')).bytes).toString('hex');
  assert.ok(ima.list.lines().join().includes(`verity:sha256:${verity}`));
  const appraised = await judge(['appraise digest_type=verity appraise_type=sigv3'], file);
  assert.equal(appraised.result, 'IMA-signature-required');
  const missing = await judge(
    ['appraise digest_type=verity appraise_type=sigv3'],
    new FakeFile('content'),
  );
  assert.equal(missing.result, 'verity-signature-required');
});

test('a digest in .blacklist is refused where a signature is demanded', async () => {
  const file = signed();
  const blacklist = (keyring: Keyring): void => {
    keyring.addToBlacklist('bin', file.bytes('{sha256}'));
  };
  const rule = 'appraise appraise_type=imasig';
  assert.equal((await judge([rule], file, {}, blacklist)).result, 'blacklisted-hash');
  const byHash = await judge(['appraise'], labelled(), {}, blacklist);
  assert.equal(byHash.result, 'allowed');
});

test('an appended signature counts for modules, where security.ima is no signature of ours', async () => {
  const module = { hook: 'MODULE_CHECK', mask: MAY_READ } as const;
  const rule = 'appraise func=MODULE_CHECK appraise_type=imasig|modsig';
  const modsig = (isValid: boolean): AppendedSignature => ({
    message: Uint8Array.of(1),
    digest: { algorithm: 'sha256', bytes: new Uint8Array(32) },
    verify: () => isValid,
  });
  const appraise = async (file: FakeFile, signature: AppendedSignature | undefined) => {
    file.modsig = signature;
    return (await judge([rule], file, module)).result;
  };
  assert.equal(await appraise(new FakeFile('content'), undefined), 'IMA-signature-required');
  assert.equal(await appraise(new FakeFile('content'), modsig(true)), 'allowed');
  assert.equal(await appraise(new FakeFile('content'), modsig(false)), 'invalid-signature');
  assert.equal(await appraise(labelled(), modsig(true)), 'allowed');
  assert.equal(await appraise(signed(), modsig(true)), 'allowed', 'its key is not ours');
});

test('what was measured is measured again with its modsig, in a template that shows it', async () => {
  const module = { hook: 'MODULE_CHECK', mask: MAY_READ } as const;
  const ima = imaOf(
    'enforce',
    'measure template=ima-modsig',
    'appraise func=MODULE_CHECK appraise_type=imasig|modsig',
  );
  const file = labelled();
  const audit = new FakeAudit();
  await processMeasurement(ima, audit, accessTo(file));
  file.modsig = {
    message: Uint8Array.of(0xab),
    digest: { algorithm: 'sha256', bytes: new Uint8Array(32).fill(7) },
    verify: () => true,
  };
  await processMeasurement(ima, audit, accessTo(file, module));
  const lines = ima.list.lines();
  assert.equal(lines.length, 2);
  assert.ok(lines[1]?.endsWith(`sha256:${'07'.repeat(32)} ab`), lines[1]);
});

test('on a file system that cannot be trusted everything appraised fails, under fail_securely', async () => {
  const ima = imaOf('enforce', 'appraise');
  const file = labelled();
  file.object = { ...file.object, fsMagic: 0x65735546 };
  assert.ok((await processMeasurement(ima, new FakeAudit(), accessTo(file))).allowed);
  const secure = fakeIma({ policy: new Policy(ima.policy.rules, true) });
  const verdict = await processMeasurement(secure, new FakeAudit(), accessTo(file));
  assert.ok(!verdict.allowed && verdict.cause === 'unverifiable-signature');
});
