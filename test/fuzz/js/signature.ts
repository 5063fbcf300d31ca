/** Signatures in security.ima and security.evm, and what appraisal makes of whatever stands there. */
import assert from 'node:assert/strict';
import { appraiseMeasurement } from '../../../src/ima/appraise-measurement.js';
import { Keyring, type TrustedKey } from '../../../src/ima/keyring/keyring.js';
import type { Demands } from '../../../src/ima/policy/match-policy.js';
import {
  decodeSignature,
  keyIdOf,
  SIGNATURE_HEADER_BYTES,
} from '../../../src/ima/xattr/decode-signature.js';
import { decodeXattr } from '../../../src/ima/xattr/decode-xattr.js';
import { signatures } from '../../golden/ima/signatures.js';
import { FakeFile } from '../../unit/ima/fakes.js';
import { readBetween } from './surroundings.js';
import * as xattr from './xattr.js';

export const code = [
  'src/ima/appraise-measurement.ts',
  'src/ima/evm/verify-xattr.ts',
  'src/ima/keyring/verify-signature.ts',
  'src/ima/digest/file-id-hash.ts',
  'src/ima/xattr',
];

/** A key of 8192 bits signs in 1024 bytes. */
export const longest = 1100;

/** The keys of the seeds, one way or the other. */
class EveryKey extends Keyring {
  constructor(private readonly isRight: boolean) {
    super();
  }

  override find(keyId: number): TrustedKey {
    const verify = (): boolean => this.isRight;
    return { keyId, description: '', certificate: new Uint8Array(), verify };
  }
}

const KEYRINGS = { none: new Keyring(), wrong: new EveryKey(false), right: new EveryKey(true) };

type SignatureDemands = Pick<Demands, 'signature' | 'verity' | 'failsSecurely'>;

const DEMANDS: readonly SignatureDemands[] = ([undefined, 'imasig', 'sigv3'] as const).flatMap(
  (signature) => [false, true].map((verity) => ({ signature, verity, failsSecurely: false })),
);

export function seeds(): readonly Uint8Array[] {
  return [
    ...xattr.seeds(),
    ...signatures.map((fact) => Buffer.from(fact.xattr, 'hex')),
    ...signatures.map((fact) => Buffer.from(`05${fact.xattr.slice(2)}`, 'hex')),
  ];
}

export function check(input: Uint8Array): void {
  const signature = readBetween(input, decodeSignature);
  if (signature !== undefined) {
    const behind = input.subarray(SIGNATURE_HEADER_BYTES);
    assert.equal(Buffer.compare(signature.bytes, behind), 0);
    assert.ok(signature.bytes.length > 0);
  }
  const isLabel = input[0] === 0x03 || input[0] === 0x06;
  assert.equal(readBetween(input, keyIdOf), isLabel ? signature?.keyId : undefined);
  for (const demands of DEMANDS) {
    for (const kind of ['none', 'wrong', 'right'] as const) {
      checkLabel(input, demands, kind);
      checkEvm(input, demands, kind);
    }
  }
}

/** Nothing passes but the right digest, where one will do, and what a key vouches for. */
function checkLabel(input: Uint8Array, demands: SignatureDemands, kind: keyof typeof KEYRINGS) {
  const status = readBetween(input, (imaXattr) => appraise({ imaXattr }, demands, kind));
  if (status !== 'PASS') return;
  const label = decodeXattr(input);
  if (label?.kind === 'digest') {
    assert.equal(demands.signature, undefined);
    const { bytes } = label;
    assert.equal(Buffer.compare(bytes.subarray(0, FOUND.bytes.length), FOUND.bytes), 0);
  } else {
    assert.ok(label?.kind === 'signature' && decodeSignature(input), 'it is no signature');
    assert.equal(kind, 'right');
    assert.ok(label.version === 3 || demands.signature !== 'sigv3');
  }
}

/** A portable signature that no key vouches for lets nothing pass, be the label as right as it may. */
function checkEvm(input: Uint8Array, demands: SignatureDemands, kind: keyof typeof KEYRINGS): void {
  const status = readBetween(input, (evm) => appraise({ imaXattr: RIGHT, evm }, demands, kind));
  const isPortable = input[0] === 0x05;
  if (isPortable && kind !== 'right') assert.notEqual(status, 'PASS');
  if (demands.signature !== undefined && !isPortable) assert.notEqual(status, 'PASS');
}

const CONTENT = new FakeFile('hello\n');
const FOUND = { algorithm: 'sha256', bytes: CONTENT.bytes('{sha256}') };
const RIGHT = CONTENT.bytes('0404{sha256}');

function appraise(
  attributes: { readonly imaXattr: Uint8Array; readonly evm?: Uint8Array },
  demands: SignatureDemands,
  kind: keyof typeof KEYRINGS,
): string {
  const file = new FakeFile('hello\n');
  file.imaXattr = attributes.imaXattr;
  if (attributes.evm) file.xattrs.set('security.evm', attributes.evm);
  const keyring = KEYRINGS[kind];
  return appraiseMeasurement({
    file,
    found: FOUND,
    demands,
    keyring,
    modsig: undefined,
    isNew: file.isNew,
  }).status;
}
