import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changeIma } from '../../../src/ima/ima.js';
import { type Access, processMeasurement } from '../../../src/ima/process-measurement.js';
import { accessTo, FakeAudit, FakeFile, imaOf, onExt4, policyOf, user } from './fakes.js';

const MISSING = '1800 appraise_data missing-hash res=0';
const INVALID = '1800 appraise_data invalid-hash res=0';

/** One IMA, one file, one audit trail; `open` gives the cause or 'allowed'. */
function scene(mode: 'off' | 'log' | 'fix' | 'enforce', lines: string[], xattr?: string) {
  const ima = imaOf(mode, ...lines);
  const audit = new FakeAudit();
  const file = new FakeFile('content', xattr);
  const verdict = (facts: Partial<Access> = {}) =>
    processMeasurement(ima, audit, accessTo(file, facts));
  const open = async (facts: Partial<Access> = {}): Promise<string> => {
    const result = await verdict(facts);
    return result.allowed ? 'allowed' : result.cause;
  };
  return { ima, audit, file, verdict, open };
}

test('a file no rule matches is left alone', async () => {
  const { ima, file, verdict } = scene('enforce', ['appraise fowner=7']);
  const result = await verdict({ writable: true });
  assert.ok(result.allowed && !result.appraised && result.cacheable && !result.mayUpdateXattr);
  assert.equal(file.hashings + ima.iints.size, 0);
});

test('a refusal names the rule, the cause and both digests', async () => {
  const { verdict, file } = scene('enforce', ['', 'appraise fowner=1000'], `01${'ab'.repeat(20)}`);
  const result = await verdict();
  assert.ok(!result.allowed);
  assert.deepEqual(
    [result.errno, result.op, result.cause, result.status],
    ['EACCES', 'appraise_data', 'invalid-hash', 'FAIL'],
  );
  assert.deepEqual([result.rule?.source, result.rule?.line], ['test', 2]);
  assert.deepEqual(result.wanted, { algorithm: 'sha1', bytes: new Uint8Array(20).fill(0xab) });
  assert.deepEqual(result.found, { algorithm: 'sha1', bytes: file.bytes('{sha1}') });
});

test('every refused open is judged and recorded anew', async () => {
  const { audit, open } = scene('enforce', ['appraise']);
  assert.deepEqual([await open(), await open()], ['missing-hash', 'missing-hash']);
  assert.deepEqual(audit.records, [MISSING, MISSING]);
});

test('a pass stands for the version and the generation, per slot', async () => {
  const rules = ['appraise func=FILE_CHECK', 'appraise func=BPRM_CHECK'];
  const { ima, file, open } = scene('enforce', rules, '0404{sha256}');
  await open();
  await open();
  assert.equal(file.hashings, 1);
  await open({ hook: 'BPRM_CHECK' });
  assert.equal(file.hashings, 2);
  changeIma(ima, { mode: 'log' });
  await open();
  assert.equal(file.hashings, 3);
  file.write('changed');
  assert.equal(await open({ hook: 'BPRM_CHECK' }), 'allowed', 'log mode');
  changeIma(ima, { mode: 'enforce' });
  assert.equal(await open({ hook: 'BPRM_CHECK' }), 'invalid-hash');
});

test('while others may write to it a pass is neither kept nor used again', async () => {
  const { file, open } = scene('enforce', ['appraise'], '0404{sha256}');
  await open();
  file.mayKeep = false;
  await open();
  assert.equal(file.hashings, 2);
  file.mayKeep = true;
  await open();
  assert.equal(file.hashings, 3);
  file.mayKeep = false;
  await open({ writersOwn: true });
  await open({ writersOwn: true });
  assert.equal(file.hashings, 3, 'the kernel keeps results until the last writer of its own');
});

test('modes off and log allow; only log records', async () => {
  for (const [mode, records] of [
    ['off', []],
    ['log', [MISSING]],
  ] as const) {
    const { audit, verdict } = scene(mode, ['appraise']);
    const result = await verdict({ writable: true });
    assert.ok(result.allowed && !result.mayUpdateXattr);
    assert.equal(result.cause, mode === 'log' ? 'missing-hash' : undefined);
    assert.equal(result.cacheable, mode === 'off');
    assert.deepEqual(audit.records, records);
  }
});

test('mode off does not let an appraise rule switch hashing off', async () => {
  const { verdict } = scene('off', ['hash', 'appraise']);
  const result = await verdict();
  assert.equal(result.decision.hash, true);
});

test('fix mode writes what is missing or wrong at a mere read, and records it', async () => {
  for (const [xattr, fixed, record] of [
    [undefined, '0404{sha256}', MISSING],
    [`0404${'00'.repeat(32)}`, '0404{sha256}', INVALID],
    [`01${'11'.repeat(20)}`, '01{sha1}', INVALID],
  ] as const) {
    const { audit, file, verdict } = scene('fix', ['appraise'], xattr);
    const result = await verdict();
    assert.ok(result.allowed && result.status === 'PASS' && !result.cacheable);
    assert.deepEqual(file.imaXattr, file.bytes(fixed));
    assert.deepEqual(audit.records, [record]);
    const again = await verdict();
    assert.ok(again.allowed && again.cacheable);
    assert.equal(audit.records.length, 1);
  }
});

test('fix mode never writes over a signature, and survives a file it may not label', async () => {
  for (const xattr of ['0302040000000000ff00deadbeef', '0603040000000000ff00deadbeef']) {
    const { file, verdict } = scene('fix', ['appraise'], xattr);
    const result = await verdict();
    assert.ok(result.allowed && result.status === 'FAIL');
    assert.deepEqual(file.imaXattr, file.bytes(xattr));
  }
  const { file, verdict } = scene('fix', ['appraise']);
  file.writeImaXattr = () => Promise.reject(new Error('EROFS'));
  const result = await verdict();
  assert.ok(result.allowed && result.status === 'NOLABEL' && result.cause === 'missing-hash');
});

test('a new file passes without a hash, not with a wrong one', async () => {
  const { audit, file, verdict, open } = scene('enforce', ['appraise']);
  file.isNew = true;
  file.isCreated = true;
  const result = await verdict({ writable: true });
  assert.ok(result.allowed && result.mayUpdateXattr && !result.cacheable);
  assert.deepEqual(audit.records, []);
  file.setXattr(`0404${'00'.repeat(32)}`);
  assert.equal(await open(), 'invalid-hash');
});

test('who read a file while it was new has no claim to it afterwards', async () => {
  const { file, open } = scene('enforce', ['appraise']);
  file.isNew = true;
  file.isCreated = true;
  assert.equal(await open(), 'allowed');
  file.isNew = false;
  assert.equal(await open(), 'missing-hash');
});

test('a new file that got its signature before its data passes while it is empty', async () => {
  const { file, open } = scene('enforce', ['appraise'], '0302040000000000ff00deadbeef');
  file.isNew = true;
  file.isCreated = true;
  assert.equal(await open(), 'invalid-signature');
  file.write('');
  assert.equal(await open(), 'allowed');
});

test('O_DIRECT is refused where it is appraised, unless the digest is known', async () => {
  const { audit, open } = scene('enforce', ['appraise'], '0404{sha256}');
  assert.equal(await open({ directIo: true }), 'failed(directio)');
  assert.deepEqual(audit.records, ['1800 collect_data failed(directio) res=0']);
  await open();
  assert.equal(await open({ directIo: true }), 'allowed');
});

test('O_DIRECT of a file that is only audited is allowed and leaves a trace', async () => {
  const { audit, verdict } = scene('enforce', ['audit']);
  const result = await verdict({ directIo: true });
  assert.ok(result.allowed && !result.cacheable);
  assert.deepEqual(audit.records, ['1800 collect_data failed(directio) res=0']);
});

test('a file that cannot be hashed is refused, and allowed in log mode', async () => {
  for (const [mode, outcome] of [
    ['enforce', 'failed'],
    ['log', 'allowed'],
  ] as const) {
    const { audit, file, open } = scene(mode, ['appraise'], '0404{sha256}');
    file.failing = true;
    assert.equal(await open(), outcome);
    assert.deepEqual(audit.records, ['1800 collect_data failed res=0']);
  }
});

test('a digest of the wrong size equals nothing', async () => {
  const { file, open } = scene('enforce', ['appraise'], '0404{sha256}');
  file.digest = () => Promise.resolve(new Uint8Array(0));
  assert.equal(await open(), 'failed');
});

test('audited once per content, with the algorithm of its xattr, also where it is refused', async () => {
  const { audit, file, open } = scene('enforce', ['audit', 'appraise func=BPRM_CHECK'], '01{sha1}');
  await Promise.all([open(), open()]);
  await open();
  assert.deepEqual(audit.records, [`1805 sha1:${file.hex('sha1')}`]);
  file.write('changed');
  await open({ hook: 'BPRM_CHECK' });
  assert.deepEqual(audit.records.slice(1), [INVALID, `1805 sha1:${file.hex('sha1')}`]);
});

test('what an access found is not kept if the file changed while it was hashed', async () => {
  const { file, open, verdict } = scene('enforce', ['appraise'], '0404{sha256}');
  const digest = file.digest.bind(file);
  const versionBefore = file.version;
  file.digest = async (algorithm) => {
    const bytes = await digest(algorithm);
    file.write('swapped');
    file.digest = digest;
    return bytes;
  };
  await verdict();
  assert.notEqual(file.version, versionBefore);
  assert.equal(await open(), 'invalid-hash');
});

test('a policy change during an access leaves nothing behind for the new policy', async () => {
  const { ima, file, open } = scene('enforce', ['appraise'], '0404{sha256}');
  const opening = open();
  changeIma(ima, { policy: policyOf('appraise fowner=1000') });
  assert.equal(await opening, 'allowed');
  await open();
  assert.equal(file.hashings, 2);
});

test('credentials and owner are those of the access', async () => {
  const { file, open } = scene('enforce', ['appraise uid=5 fowner=9']);
  assert.equal(await open({ subject: user(5) }), 'allowed');
  file.object = onExt4(9);
  assert.equal(await open({ subject: user(4) }), 'allowed');
  assert.equal(await open({ subject: user(5) }), 'missing-hash');
});
