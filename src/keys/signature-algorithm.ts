/** How a certificate or a message is signed. */
export interface SignatureAlgorithm {
  readonly key: 'rsa' | 'ec';
  /** The kernel's name of the hash algorithm. */
  readonly hash: string;
}

const RSA = '1.2.840.113549.1.1';
const ECDSA = '1.2.840.10045.4';
const NIST_SIGNATURES = '2.16.840.1.101.3.4.3';

/** x509_note_sig_algo (x509_cert_parser.c): RSA with PKCS#1 v1.5, and ECDSA. */
const SIGNATURES: Readonly<Record<string, SignatureAlgorithm>> = {
  [`${RSA}.5`]: { key: 'rsa', hash: 'sha1' },
  [`${RSA}.11`]: { key: 'rsa', hash: 'sha256' },
  [`${RSA}.12`]: { key: 'rsa', hash: 'sha384' },
  [`${RSA}.13`]: { key: 'rsa', hash: 'sha512' },
  [`${RSA}.14`]: { key: 'rsa', hash: 'sha224' },
  [`${NIST_SIGNATURES}.14`]: { key: 'rsa', hash: 'sha3-256' },
  [`${NIST_SIGNATURES}.15`]: { key: 'rsa', hash: 'sha3-384' },
  [`${NIST_SIGNATURES}.16`]: { key: 'rsa', hash: 'sha3-512' },
  [`${ECDSA}.1`]: { key: 'ec', hash: 'sha1' },
  [`${ECDSA}.3.1`]: { key: 'ec', hash: 'sha224' },
  [`${ECDSA}.3.2`]: { key: 'ec', hash: 'sha256' },
  [`${ECDSA}.3.3`]: { key: 'ec', hash: 'sha384' },
  [`${ECDSA}.3.4`]: { key: 'ec', hash: 'sha512' },
  [`${NIST_SIGNATURES}.10`]: { key: 'ec', hash: 'sha3-256' },
  [`${NIST_SIGNATURES}.11`]: { key: 'ec', hash: 'sha3-384' },
  [`${NIST_SIGNATURES}.12`]: { key: 'ec', hash: 'sha3-512' },
};

/** Undefined for what the kernel has no name for. */
export function signatureAlgorithmOf(oid: string): SignatureAlgorithm | undefined {
  return Object.hasOwn(SIGNATURES, oid) ? SIGNATURES[oid] : undefined;
}
