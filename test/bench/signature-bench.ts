/** What a signature costs in appraisal, by what OpenSSL needs for its verification and the hash alone. */
import { execFileSync } from 'node:child_process';
import { createPrivateKey, hash, sign } from 'node:crypto';

import { loadAddon } from '../../src/binding/addon.js';
import { appraiseMeasurement } from '../../src/ima/appraise-measurement.js';
import { Keyring } from '../../src/ima/keyring/keyring.js';
import { parseCertificate } from '../../src/keys/certificate.js';
import { trustedKey } from '../../src/keys/trusted-key.js';
import { Certificates } from '../helpers/certificates.js';
import { FakeFile } from '../unit/ima/fakes.js';
import { median, paired, print, verdict } from './report.js';

const ROUNDS = 5;
const CONTENT = Buffer.alloc(16 * 1024, 'content');
const VERIFICATIONS = 4000;
const MOST_TIMES = 1.2;

/** Type, version and algorithm (sha256) of the header. */
const SIGNATURE_V2 = Buffer.of(0x03, 0x02, 0x04);

const ALGORITHMS = [
  {
    name: 'RSA-2048',
    speed: 'rsa2048',
    key: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
  },
  {
    name: 'P-256',
    speed: 'ecdsap256',
    key: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  },
] as const;

export function benchSignatures(): void {
  print(`\nappraisal of a signed file of ${CONTENT.length / 1024} KiB, hashed and verified`);
  const made = new Certificates();
  try {
    for (const { name, speed, key } of ALGORITHMS) {
      made.make(speed, { key });
      const appraise = appraisalBy(made, speed);
      const ours: number[] = [];
      const theirs: number[] = [];
      appraise(VERIFICATIONS);
      for (let round = 0; round < ROUNDS; round++) {
        ours.push(appraise(VERIFICATIONS));
        theirs.push(microsecondsToVerify(speed) + microsecondsToHash());
      }
      const times = paired(ours, theirs, (one, other) => one / other);
      print(
        `  ${name.padEnd(16)} ${median(ours).toFixed(1).padStart(8)} us ` +
          ` openssl speed ${median(theirs).toFixed(1).padStart(6)} us` +
          `  ${times.toFixed(2)} x, ${verdict(times <= MOST_TIMES, `<= ${MOST_TIMES}`)}`,
      );
    }
  } finally {
    made.remove();
  }
}

/** Mean of so many, in microseconds of CPU time, which is what openssl speed counts. */
function appraisalBy(made: Certificates, name: string): (count: number) => number {
  const certificate = parseCertificate(made.read(`${name}.der`));
  if (!certificate.ok) throw new Error(certificate.problem);
  const keyring = new Keyring();
  const key = trustedKey(certificate.value, (spki) => loadAddon().publicKey(spki));
  keyring.add(key);
  const signature = sign('sha256', CONTENT, createPrivateKey(made.read(`${name}.key`)));
  const rest = Buffer.alloc(6);
  rest.writeUInt32BE(key.keyId);
  rest.writeUInt16BE(signature.length, 4);
  const file = new FakeFile('');
  file.imaXattr = Buffer.concat([SIGNATURE_V2, rest, signature]);
  const demands = { signature: 'imasig', verity: false, failsSecurely: false } as const;
  return (count) => {
    const start = process.cpuUsage();
    for (let turn = 0; turn < count; turn++) {
      const found = { algorithm: 'sha256', bytes: hash('sha256', CONTENT, 'buffer') };
      const appraised = { file, isNew: false, found, demands, keyring, modsig: undefined };
      const { status } = appraiseMeasurement(appraised);
      if (status !== 'PASS') throw new Error(`the signature is not right: ${status}`);
    }
    const { user, system } = process.cpuUsage(start);
    return (user + system) / count;
  };
}

/** `+F2:2:2048:` or `+F4:3:256:`, signatures and verifications a second. */
function microsecondsToVerify(algorithm: string): number {
  const perSecond = /^\+F.*:([\d.]+)$/m.exec(openssl('-seconds', '1', algorithm))?.[1];
  return 1e6 / Number(perSecond);
}

/** `+F:25:sha256:`, bytes a second. */
function microsecondsToHash(): number {
  const bytes = String(CONTENT.length);
  const output = openssl('-seconds', '1', '-bytes', bytes, '-evp', 'sha256');
  const speed = Number(/^\+F:.*:([\d.]+)$/m.exec(output)?.[1]);
  return (CONTENT.length / speed) * 1e6;
}

function openssl(...words: readonly string[]): string {
  return execFileSync('openssl', ['speed', '-mr', ...words], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}
