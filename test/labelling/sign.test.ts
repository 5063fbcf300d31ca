/** `label sign` against evmctl: the same bytes where a scheme has no chance in it, else each takes the other's. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash, createPublicKey, createVerify } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { labelOf, setLabel } from '../helpers/label.js';
import { skipUnless } from '../helpers/skip.js';
import { jsonLines, transcript } from '../unit/cli/transcript.js';

const work = mkdtempSync(join(tmpdir(), 'imafs-label-sign-'));
const file = join(work, 'file');
const at = (name: string): string => join(work, name);

function openssl(...words: readonly string[]): void {
  execFileSync('openssl', words, { cwd: work, stdio: 'ignore' });
}

const RSA_BITS = [2048, 3072, 4096];
const CURVES = ['prime256v1', 'secp384r1', 'secp521r1'];
const HEADER_BYTES = 9;

before(() => {
  for (const bits of RSA_BITS) openssl('genrsa', '-out', `rsa${bits}`, String(bits));
  for (const curve of CURVES) {
    openssl('ecparam', '-name', curve, '-genkey', '-out', curve);
    const self = ['-x509', '-new', '-subj', '/CN=x', '-outform', 'der', '-out', `${curve}.der`];
    openssl('req', '-key', curve, ...self);
  }
  const named = ['-x509', '-new', '-key', 'rsa2048', '-subj', '/CN=x', '-out', 'named.pem'];
  openssl('req', ...named, '-addext', 'subjectKeyIdentifier=01020304050607');
  writeFileSync(
    at('both'),
    Buffer.concat(['rsa2048', 'named.pem'].map((name) => readFileSync(at(name)))),
  );
  openssl('pkey', '-in', 'rsa2048', '-aes256', '-passout', 'pass:secret', '-out', 'encrypted');
  const der = ['-topk8', '-in', 'rsa2048', '-outform', 'der', '-passout', 'pass:secret'];
  openssl('pkcs8', ...der, '-out', 'encrypted.der');
  openssl('rsa', '-in', 'rsa2048', '-traditional', '-outform', 'der', '-out', 'pkcs1.der');
  openssl('ec', '-in', 'prime256v1', '-outform', 'der', '-out', 'sec1.der');
  openssl('pkcs8', '-topk8', '-nocrypt', '-in', 'prime256v1', '-outform', 'der', '-out', 'ec.der');
  openssl('genpkey', '-algorithm', 'ed25519', '-out', 'ed25519');
  openssl('ecparam', '-name', 'secp256k1', '-genkey', '-out', 'secp256k1');
  writeFileSync(at('passphrase'), 'secret\n');
  writeFileSync(at('wrong'), 'wrong\n');
});
after(() => {
  rmSync(work, { recursive: true, force: true });
});

const skip = skipUnless('evmctl', 'nothing to compare with');

function evmctl(...words: readonly string[]): number | null {
  return spawnSync('evmctl', words, { cwd: work, stdio: 'ignore' }).status;
}

async function signed(words: string): Promise<string | undefined> {
  setLabel(file, '00');
  const { exit, stderr } = await transcript(`label sign ${words} ${file}`);
  assert.equal(exit, 0, `${words}: ${stderr}`);
  return labelOf(file);
}

function signedByEvmctl(...words: readonly string[]): string | undefined {
  setLabel(file, '00');
  assert.equal(evmctl('ima_sign', ...words, file), 0, words.join(' '));
  return labelOf(file);
}

test('RSA signatures are those of evmctl, byte for byte', { skip }, async () => {
  for (const content of ['', 'content', Buffer.alloc(3_000_000, 'x')]) {
    writeFileSync(file, content);
    for (const bits of RSA_BITS) {
      for (const algorithm of ['sha1', 'sha224', 'sha256', 'sha384', 'sha512']) {
        const wanted = signedByEvmctl('-a', algorithm, '-k', `rsa${bits}`);
        const what = `${bits} bits, ${algorithm}, ${content.length} bytes`;
        assert.equal(await signed(`-a ${algorithm} --key ${at(`rsa${bits}`)}`), wanted, what);
      }
    }
  }
});

test('evmctl verifies our ECDSA signatures, and we leave its own as they are', {
  skip,
}, async () => {
  writeFileSync(file, 'content');
  for (const curve of CURVES) {
    for (const algorithm of ['sha256', 'sha384', 'sha512']) {
      const words = `-a ${algorithm} --key ${at(curve)}`;
      await signed(words);
      assert.equal(evmctl('ima_verify', '-k', `${curve}.der`, file), 0, words);
      const theirs = signedByEvmctl('-a', algorithm, '-k', curve);
      const { stdout } = await transcript(`label sign ${words} ${file}`);
      assert.equal(stdout, '0 changed, 1 unchanged, 0 failed\n');
      assert.equal(labelOf(file), theirs);
    }
  }
});

test('keys may be in PEM and DER, encrypted or not', async () => {
  writeFileSync(file, 'content');
  const wanted = await signed(`--key ${at('rsa2048')}`);
  const secret = `--passphrase-file ${at('passphrase')}`;
  for (const words of [
    `--key ${at('encrypted')} ${secret}`,
    `--key ${at('encrypted.der')} ${secret}`,
    `--key ${at('pkcs1.der')}`,
  ]) {
    assert.equal(await signed(words), wanted, words);
  }
  for (const name of ['sec1.der', 'ec.der']) await signed(`--key ${at(name)}`);
});

test('the key id is that of the certificate, as with evmctl, or what --keyid says', {
  skip,
}, async () => {
  writeFileSync(file, 'content');
  const byCertificate = signedByEvmctl('--keyid-from-cert', 'named.pem', '-k', 'rsa2048');
  assert.equal(byCertificate?.slice(6, 14), '04050607');
  assert.equal(await signed(`--key ${at('rsa2048')} --cert ${at('named.pem')}`), byCertificate);
  assert.equal(signedByEvmctl('-k', 'both'), byCertificate);
  assert.equal(await signed(`--key ${at('both')}`), byCertificate);
  const given = signedByEvmctl('--keyid', '0xabc', '-k', 'rsa2048');
  assert.equal(await signed(`--key ${at('rsa2048')} --keyid abc`), given);
});

test('a key that cannot be used has exit code 8, and says why', async () => {
  writeFileSync(file, 'content');
  setLabel(file, '00');
  for (const [words, reason] of [
    [`--key ${at('none')}`, /none cannot be read: ENOENT/],
    [`--key ${file}`, /holds no private key/],
    [`--key ${at('named.pem')}`, /holds no private key/],
    [`--key ${at('encrypted')}`, /is encrypted\n.*--passphrase-file/],
    [`--key ${at('encrypted.der')}`, /is encrypted/],
    [`--key ${at('encrypted')} --passphrase-file ${at('wrong')}`, /passphrase is wrong/],
    [`--key ${at('encrypted.der')} --passphrase-file ${at('wrong')}`, /passphrase is wrong/],
    [`--key ${at('ed25519')}`, /ed25519.*verifies nothing/],
    [`--key ${at('secp256k1')}`, /secp256k1.*verifies nothing/],
    [`--key ${at('rsa3072')} --cert ${at('named.pem')}`, /of another key/],
    ['--key pkcs11:object=x', /tokens?\n.*evmctl ima_sign/],
  ] as const) {
    const { exit, stderr } = await transcript(`label sign ${words} ${file}`);
    assert.equal(exit, 8, words);
    assert.match(stderr, reason);
  }
  assert.equal(labelOf(file), '00');
});

test('what is wrongly asked for is a usage error before any file is touched', async () => {
  setLabel(file, '00');
  for (const words of [
    '',
    `--key ${at('rsa2048')} -a sha257`,
    `--key ${at('rsa2048')} --keyid xyz`,
    `--key ${at('rsa2048')} --keyid 1 --cert ${at('named.pem')}`,
    `--key ${at('rsa2048')} --veritysig -a sha384`,
    `--key ${at('rsa2048')} --jobs 0`,
  ]) {
    assert.equal((await transcript(`label sign ${words} ${file}`)).exit, 1, words);
  }
  assert.equal(labelOf(file), '00');
});

test('another signature or a stale one is replaced, one that fits stays', async () => {
  writeFileSync(file, 'content');
  const first = await signed(`--key ${at('rsa2048')}`);
  const by = (name: string, more = ''): Promise<string | undefined> =>
    transcript(`label sign --key ${at(name)} ${more} ${file}`).then(() => labelOf(file));
  assert.equal(await by('rsa2048'), first);
  assert.notEqual(await by('rsa3072'), first);
  assert.equal(await by('rsa2048'), first);
  assert.notEqual(await by('rsa2048', '-a sha512'), first);
  assert.equal(await by('rsa2048'), first);
  writeFileSync(file, 'other content');
  assert.notEqual(await by('rsa2048'), first);
});

test('version 3 and the signature of the fs-verity digest are over the file id', async () => {
  writeFileSync(file, 'content');
  const digest = createHash('sha256').update('content').digest();
  const v3 = Buffer.from((await signed(`--key ${at('prime256v1')} --v3`)) ?? '', 'hex');
  assert.equal(v3.toString('hex', 0, 3), '030304');
  assertSigned(v3, Buffer.concat([Buffer.from([0x03, 0x04]), digest]));
  const [line] = jsonLines(
    await transcript(`label sign --json --v3 --key ${at('prime256v1')} ${file}`),
  );
  assert.equal(line?.['result'], 'unchanged');
});

test('the fs-verity digest is that of fsverity(1)', {
  skip: skipUnless('fsverity', 'nothing to compare with'),
}, async () => {
  writeFileSync(file, Buffer.alloc(1_000_000, 'x'));
  for (const [algorithm, id] of [
    ['sha256', 4],
    ['sha512', 6],
  ] as const) {
    const words = ['digest', '--compact', `--hash-alg=${algorithm}`, file];
    const digest = Buffer.from(execFileSync('fsverity', words, { encoding: 'utf8' }), 'hex');
    const hex = await signed(`--key ${at('prime256v1')} --veritysig -a ${algorithm}`);
    const value = Buffer.from(hex ?? '', 'hex');
    assert.deepEqual([...value.subarray(0, 3)], [0x06, 0x03, id]);
    assertSigned(value, Buffer.concat([Buffer.from([0x06, id]), digest]), algorithm);
  }
});

function assertSigned(value: Buffer, fileId: Buffer, algorithm = 'sha256'): void {
  const key = createPublicKey(readFileSync(at('prime256v1')));
  const verifier = createVerify(algorithm).update(fileId);
  assert.ok(verifier.verify(key, value.subarray(HEADER_BYTES)));
  assert.equal(value.readUInt16BE(HEADER_BYTES - 2), value.length - HEADER_BYTES);
}
