import { closeSync, openSync } from 'node:fs';

import { decodeSignature, keyIdOf, showKeyId } from '../ima/xattr/decode-signature.js';
import { decodeXattr, hashAlgorithmOfXattr } from '../ima/xattr/decode-xattr.js';
import { O_PATH } from '../labels/walk-files.js';
import { readXattr, SECURITY_IMA } from '../labels/xattrs.js';
import { DEFAULT_ALGORITHM } from './hash-algorithm.js';

/** What security.ima of a file says, as far as it can be read. */
export interface LabelFacts {
  readonly kind: 'none' | 'digest' | 'signature' | 'unknown';
  /** `algorithm:hex` */
  readonly digest?: string;
  /** Of a signature. */
  readonly version?: number;
  readonly algorithm?: string;
  /** 8 hex digits, as evmctl and keyctl show them. */
  readonly keyid?: string;
}

/** Whoever may not read the file may read its label. */
export function labelFacts(path: string): LabelFacts {
  const fd = openSync(path, O_PATH);
  let value: Buffer | undefined;
  try {
    value = readXattr(fd, SECURITY_IMA);
  } finally {
    closeSync(fd);
  }
  const decoded = value && decodeXattr(value);
  if (value === undefined || decoded === undefined) return { kind: 'none' };
  switch (decoded.kind) {
    case 'digest': {
      const algorithm = hashAlgorithmOfXattr(value, DEFAULT_ALGORITHM);
      return {
        kind: 'digest',
        digest: `${algorithm}:${Buffer.from(decoded.bytes).toString('hex')}`,
      };
    }
    case 'signature': {
      const keyId = keyIdOf(value);
      const algorithm = decodeSignature(value)?.algorithm;
      return {
        kind: 'signature',
        version: decoded.version,
        ...(algorithm === undefined ? {} : { algorithm }),
        ...(keyId === undefined ? {} : { keyid: showKeyId(keyId) }),
      };
    }
    case 'unknown':
      return { kind: 'unknown' };
    default:
      return decoded satisfies never;
  }
}

export function labelText({ kind, digest, version, algorithm, keyid }: LabelFacts): string {
  switch (kind) {
    case 'none':
      return 'no label';
    case 'digest':
      return `${digest}`;
    case 'signature':
      return `signature (version ${version}) of ${algorithm ?? 'an unknown digest'} by key ${keyid ?? '?'}`;
    case 'unknown':
      return 'of no known type';
    default:
      return kind satisfies never;
  }
}
