import { failure, type Result, success } from '../base/result.js';
import type { Keyring, TrustedKey } from '../ima/keyring/keyring.js';
import { objectionsTo } from './admit.js';
import type { Certificate } from './certificate.js';
import { certificatesIn } from './certificates-in.js';
import { type LoadPublicKey, trustedKey } from './trusted-key.js';

/** Why a certificate was not admitted; the first reason gives the errno. */
export interface Refusal {
  readonly errno: 'EBADMSG' | 'ENOKEY' | 'EKEYREJECTED' | 'ENOPKG';
  /** Undefined: it is none. */
  readonly description: string | undefined;
  readonly reasons: readonly { readonly reason: string; readonly remedy: string }[];
}

/** As add_key(2) of an asymmetric key to `.ima`: the key of the one certificate that `content` is. */
export function admitKey(
  content: Uint8Array,
  keyring: Keyring,
  authorities: readonly Certificate[],
  loadPublicKey: LoadPublicKey,
): Result<TrustedKey, Refusal> {
  const certificates = certificatesIn(content);
  if (!certificates.ok) {
    return notOne(certificates.problem);
  }
  const [certificate] = certificates.value;
  if (certificate === undefined || certificates.value.length > 1) {
    return notOne(`${certificates.value.length} certificates at once`);
  }
  const objections = objectionsTo(certificate, {
    authorities,
    isBlacklisted: (kind, digest) => keyring.isBlacklisted(kind, digest),
  });
  const [first] = objections;
  return first === undefined
    ? success(trustedKey(certificate, loadPublicKey))
    : failure({
        errno: first.errno,
        description: certificate.description,
        reasons: objections.map(({ reason, remedy }) => ({ reason, remedy })),
      });
}

function notOne(reason: string): Result<never, Refusal> {
  const remedy = 'write one X.509 certificate, in DER or PEM';
  return failure({ errno: 'EBADMSG', description: undefined, reasons: [{ reason, remedy }] });
}
