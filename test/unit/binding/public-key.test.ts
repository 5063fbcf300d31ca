import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import koffi from 'koffi';
import { loadAddon } from '../../../src/binding/addon.js';
import type { NativePublicKey } from '../../../src/binding/addon-types.js';
import type { Task } from './public-key-worker.js';

const addon = loadAddon();
const DATA = Buffer.from('what is signed');
const DIGESTS = ['sha1', 'sha256', 'sha512'] as const;

interface Pair {
  readonly privateKey: KeyObject;
  readonly spki: Buffer;
  readonly key: NativePublicKey;
}

const pairOf = (keys: { privateKey: KeyObject; publicKey: KeyObject }): Pair => {
  const spki = keys.publicKey.export({ type: 'spki', format: 'der' });
  return { privateKey: keys.privateKey, spki, key: addon.publicKey(spki) };
};
const rsa = (modulusLength: number): Pair => pairOf(generateKeyPairSync('rsa', { modulusLength }));
const ec = (namedCurve: string): Pair => pairOf(generateKeyPairSync('ec', { namedCurve }));

const digestOf = (algorithm: string): Buffer => createHash(algorithm).update(DATA).digest();

/** Every copy of the bytes in which one bit is another. */
function* bitFlips(bytes: Uint8Array): Generator<Buffer> {
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const flipped = Buffer.from(bytes);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    yield flipped;
  }
}

const SHORT = ec('P-256');
const PAIRS: readonly [string, Pair, 'rsa' | 'ec', number][] = [
  ['RSA 2048', rsa(2048), 'rsa', 2048],
  ['RSA 4096', rsa(4096), 'rsa', 4096],
  ['P-256', SHORT, 'ec', 256],
  ['P-384', ec('P-384'), 'ec', 384],
  ['P-521', ec('P-521'), 'ec', 521],
];

for (const [name, { key, privateKey }, algorithm, bits] of PAIRS) {
  test(`${name}: what node:crypto signed is verified by its digest`, () => {
    assert.deepEqual([key.algorithm, key.bits], [algorithm, bits]);
    for (const hash of DIGESTS) {
      const signature = sign(hash, DATA, privateKey);
      assert.equal(key.verify(hash, digestOf(hash), signature), true, hash);
      for (const other of DIGESTS.filter((one) => one !== hash)) {
        assert.equal(key.verify(other, digestOf(hash), signature), false, `${hash} as ${other}`);
        assert.equal(key.verify(other, digestOf(other), signature), false, `${hash} for ${other}`);
      }
    }
  });

  test(`${name}: another digest, signature or algorithm is false`, () => {
    const signature = sign('sha256', DATA, privateKey);
    const digest = digestOf('sha256');
    const nothing = Buffer.alloc(0);
    const zero = Buffer.alloc(1);
    for (const wrong of [
      digestOf('sha512').subarray(0, 32),
      digest.subarray(0, 31),
      Buffer.concat([digest, zero]),
      nothing,
    ]) {
      assert.equal(key.verify('sha256', wrong, signature), false, wrong.toString('hex'));
    }
    for (const wrong of [
      signature.subarray(0, -1),
      Buffer.concat([signature, zero]),
      Buffer.concat([zero, signature]),
      Buffer.alloc(signature.length),
      nothing,
    ]) {
      assert.equal(key.verify('sha256', digest, wrong), false, wrong.toString('hex'));
    }
    for (const unknown of ['', 'none', 'sha257', 'sha256\0', 'md5-sha1', 'x'.repeat(100_000)]) {
      assert.equal(key.verify(unknown, digest, signature), false, unknown);
    }
    assert.equal(ec('P-256').key.verify('sha256', digest, signature), false);
    assert.equal(key.verify('sha256', digest, signature), true, 'and it still can');
  });
}

test('every flipped bit of a short signature and of its digest is false', () => {
  const signature = sign('sha256', DATA, SHORT.privateKey);
  const digest = digestOf('sha256');
  for (const flipped of bitFlips(signature)) {
    assert.equal(SHORT.key.verify('sha256', digest, flipped), false, flipped.toString('hex'));
  }
  for (const flipped of bitFlips(digest)) {
    assert.equal(SHORT.key.verify('sha256', flipped, signature), false, flipped.toString('hex'));
  }
});

test('whatever the bytes, verifying never throws', () => {
  const bytes = fc.uint8Array({ maxLength: 600 });
  const digestName = fc.oneof(fc.constantFrom('sha1', 'sha256', 'sha512', 'shake128'), fc.string());
  const integers = fc.tuple(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ maxLength: 40 }));
  const sequence = integers.map(([r, s]) => {
    const body = Buffer.concat([Buffer.from([2, r.length]), r, Buffer.from([2, s.length]), s]);
    return Uint8Array.from(Buffer.concat([Buffer.from([0x30, body.length]), body]));
  });
  const wellSized = fc.uint8Array({ minLength: 256, maxLength: 256 });
  fc.assert(
    fc.property(
      fc.constantFrom(...PAIRS.map(([, pair]) => pair.key)),
      digestName,
      fc.oneof(bytes, fc.constant(Uint8Array.from(digestOf('sha256')))),
      fc.oneof(bytes, sequence, wellSized),
      (key, name, digest, signature) => !key.verify(name, digest, signature),
    ),
    { numRuns: 3000 },
  );
});

test('what is no RSA or EC key is refused with the reason', () => {
  const { publicKey: edwards } = generateKeyPairSync('ed25519');
  const { publicKey: pss } = generateKeyPairSync('rsa-pss', { modulusLength: 1024 });
  const spkiOf = (key: KeyObject) => key.export({ type: 'spki', format: 'der' });
  const pkcs1 = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey;
  const reasons: readonly [Uint8Array, RegExp][] = [
    [spkiOf(edwards), /is of type ED25519, not RSA or EC$/],
    [spkiOf(pss), /is of type RSA-PSS, not RSA or EC$/],
    [Buffer.concat([SHORT.spki, Buffer.alloc(1)]), /has more bytes than it should$/],
    [SHORT.spki.subarray(0, -1), /is none that OpenSSL can read: /],
    [pkcs1.export({ type: 'pkcs1', format: 'der' }), /is none that OpenSSL can read: /],
    [Buffer.alloc(0), /is none that OpenSSL can read/],
  ];
  for (const [spki, reason] of reasons) assert.throws(() => addon.publicKey(spki), reason);
});

test('whatever the bytes, there is a key or an Error', () => {
  const random = fc.uint8Array({ maxLength: 300 });
  const nearlyKey = fc
    .tuple(fc.nat(SHORT.spki.length - 1), fc.nat(255))
    .map(([at, value]) => Uint8Array.from(SHORT.spki.with(at, value)));
  fc.assert(
    fc.property(fc.oneof(random, nearlyKey), (spki) => {
      try {
        return !addon.publicKey(spki).verify('sha256', digestOf('sha256'), spki);
      } catch (error) {
        return error instanceof Error && error.message.startsWith('the public key');
      }
    }),
    { numRuns: 2000 },
  );
});

test("nothing is left in OpenSSL's queue of errors, which node:crypto shares", () => {
  const firstError = koffi.load(null).func('unsigned long ERR_peek_error()') as () => number;
  SHORT.key.verify('no such digest', digestOf('sha256'), Buffer.from('no signature'));
  assert.equal(firstError(), 0);
  SHORT.key.verify('sha256', digestOf('sha256'), Buffer.from('no signature'));
  assert.equal(firstError(), 0);
  assert.throws(() => addon.publicKey(Buffer.from('no key')));
  assert.equal(firstError(), 0);
});

test('worker threads verify with keys of their own', async () => {
  const signature = sign('sha256', DATA, SHORT.privateKey);
  const task: Task = {
    spki: SHORT.spki,
    digest: digestOf('sha256'),
    signatures: [signature, signature.subarray(1)],
  };
  const verified = () =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL('public-key-worker.js', import.meta.url), {
        workerData: task,
      });
      worker.once('message', resolve).once('error', reject);
    });
  const all = await Promise.all([verified(), verified(), verified()]);
  assert.deepEqual(all, Array(3).fill([true, false]));
});
