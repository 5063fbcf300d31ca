/**
 * `keys/`: the keyrings of a namespace by their kernel names. Reading gives a line for each key,
 * `KEYID DESCRIPTION`, or an entry of the blacklist; `.pem` has the certificates themselves.
 */
import { firstLine } from '../namespaces/first-line.js';
import { type OpenFile, snapshot } from './virtual-file.js';

/** A certificate in PEM, with room for its bag attributes. */
const CERTIFICATE_BYTES_MAX = 128 * 1024;

export interface NamedCertificate {
  readonly keyId: number | undefined;
  readonly description: string;
  readonly certificate: Uint8Array;
}

export const readKeyring: OpenFile = ({ namespace }) =>
  snapshot(lines(namespace.ima.keyring.keys()));

export const readKeyringPem: OpenFile = ({ namespace }) =>
  snapshot(pem(namespace.ima.keyring.keys()));

export const readAuthorities: OpenFile = ({ parts }) => snapshot(lines(parts.authorities));

export const readAuthoritiesPem: OpenFile = ({ parts }) => snapshot(pem(parts.authorities));

/** What counts in this namespace, the system's own entries first. */
export const readBlacklist: OpenFile = ({ namespace, parts }) => {
  const { system } = parts.registry;
  const entries = [system.ima.keyring, namespace.ima.keyring].flatMap((ring) => ring.blacklist());
  return snapshot([...new Set(entries)].map((entry) => `${entry}\n`).join(''));
};

/** What is written until a close(2) is one certificate. */
export const writeKeyring: OpenFile = ({ namespace, parts }) => {
  let written = Buffer.alloc(0);
  return {
    write: (data) => {
      if (written.length + data.length > CERTIFICATE_BYTES_MAX) return Promise.resolve('EFBIG');
      written = Buffer.concat([written, data]);
      return Promise.resolve(data.length);
    },
    flush: async (caller) => {
      if (written.length === 0) return undefined;
      const content = written;
      written = Buffer.alloc(0);
      return parts.keyrings.add(namespace, content, caller);
    },
  };
};

/** A line a write, as the kernel takes them by add_key(2). */
export const writeBlacklist: OpenFile = ({ namespace, parts }) => ({
  write: (data) => {
    const { text, taken } = firstLine(data);
    return Promise.resolve(parts.keyrings.blacklist(namespace, text.trim()) ?? taken);
  },
});

function lines(keys: readonly NamedCertificate[]): string {
  return keys.map(({ keyId, description }) => `${hexId(keyId)} ${description}\n`).join('');
}

/** A CA needs no key id. */
function hexId(keyId: number | undefined): string {
  return keyId === undefined ? '-'.repeat(8) : keyId.toString(16).padStart(8, '0');
}

function pem(keys: readonly NamedCertificate[]): string {
  return keys.map(({ certificate }) => pemBlock(certificate)).join('');
}

function pemBlock(der: Uint8Array): string {
  const base64 = Buffer.from(der)
    .toString('base64')
    .replace(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`;
}
