import { createHash } from 'node:crypto';
import * as asn1js from 'asn1js';
import { bytesOf } from './certificate-extensions.js';

/**
 * The key id of a SubjectPublicKeyInfo in DER where no certificate names one, as evmctl computes it
 * (calc_keyid_v2, libimaevm.c) and OpenSSL's subjectKeyIdentifier=hash: SHA-1 of the key's bits, of
 * which the last four bytes count. Throws for what is none.
 */
export function publicKeyId(spki: Uint8Array): number {
  const { result } = asn1js.fromBER(spki);
  const bits = result instanceof asn1js.Sequence ? result.valueBlock.value[1] : undefined;
  if (!(bits instanceof asn1js.BitString)) {
    throw new TypeError('no SubjectPublicKeyInfo');
  }
  return createHash('sha1').update(bytesOf(bits)).digest().readUInt32BE(16);
}
