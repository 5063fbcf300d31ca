import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Refusal, remedyOf, remedyText } from '../../../src/ima/remedy.js';

/** ima_appraise.c, ima_main.c, ima_api.c (ima.md 4.5 and 4.6), then ours. */
const CAUSES = [
  'missing-hash',
  'invalid-hash',
  'IMA-signature-required',
  'IMA-sigv3-required',
  'verity-signature-required',
  'invalid-signature',
  'invalid-signature-version',
  'invalid-verity-signature',
  'no-verity-digest',
  'missing-HMAC',
  'invalid-HMAC',
  'invalid-fail-immutable',
  'unknown-ima-data',
  'unverifiable-signature',
  'denied-hash-algorithm',
  'unavailable-hash-algorithm',
  'failed(directio)',
  'failed',
  'mmapped_writers',
  'blacklisted-hash',
  'signed-file',
  'signed policy required',
  'set_data',
  'ENOSPC',
  'EDQUOT',
  'closed',
  'TPM_error(257)',
];

const path = "/mnt/a b's";
const remedy = (refusal: Partial<Refusal>): string | undefined => {
  const found = remedyOf({ cause: 'invalid-hash', path, ...refusal });
  return found && remedyText(found);
};

for (const cause of CAUSES) {
  test(`${cause} has a remedy, whose command quotes the path`, () => {
    const found = remedyOf({ cause, path });
    assert.ok(found);
    assert.doesNotMatch(found.advice, /^[A-Z][a-z]|\.$/, 'the tone of UserError');
    assert.ok(!found.command?.includes('/mnt') || found.command.includes("'/mnt/a b'\\''s'"));
  });
}

test('nothing is said about what nobody knows', () => {
  assert.equal(remedy({ cause: 'toString' }), undefined);
  assert.equal(remedy({ cause: 'unknown' }), undefined);
});

test('a signature is mended by its key, where the keyring lacks it', () => {
  const cause = 'invalid-signature';
  const [keyId, mountpoint] = ['d3320449', '/mnt'];
  assert.equal(
    remedy({ cause, keyId, isKeyKnown: false, mountpoint }),
    'key d3320449 is not in .ima; if it is to be trusted: imafs key add /mnt CERTIFICATE',
  );
  assert.match(
    remedy({ cause, keyId, isKeyKnown: false, mountpoint, judge: 4026532841 }) ?? '',
    /: imafs key add --ns 4026532841 \/mnt CERTIFICATE$/,
  );
  assert.match(
    remedy({ cause, keyId, isKeyKnown: true }) ?? '',
    /not what key d3320449 signed; .*: imafs label sign --key KEY '/,
  );
  assert.match(remedy({ cause: 'invalid-verity-signature' }) ?? '', /label sign --veritysig --key/);
});

test('a denied algorithm is mended by one that the rule takes', () => {
  const refusal = { cause: 'denied-hash-algorithm', rule: { appraise_algos: ['sha512', 'sm3'] } };
  assert.match(remedy(refusal) ?? '', /takes sha512, sm3 only: set that as hash/);
  assert.match(
    remedy({ ...refusal, mountpoint: '/m n' }) ?? '',
    /: echo sha512 >'\/m n\/\.ima\/self\/hash' && imafs label hash /,
  );
});
