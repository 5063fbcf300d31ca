import { failure, type Result } from '../base/result.js';
import type { Keyring } from '../ima/keyring/keyring.js';

export interface Pkcs7 {
  readonly digestAlgorithm: string;
}

export function parsePkcs7(_der: Uint8Array): Result<Pkcs7, string> {
  return failure('PKCS#7 is not read yet');
}

export function verifyPkcs7(_message: Pkcs7, _digest: Uint8Array, _keyring: Keyring): boolean {
  return false;
}
