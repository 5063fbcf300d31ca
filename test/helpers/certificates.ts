/** Keys and certificates as users make them, by openssl(1), in a directory of their own. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface CertificateOptions {
  /** As openssl req -subj has it. */
  readonly subject?: string;
  /** Lines of an extensions section. */
  readonly extensions?: readonly string[];
  /** Name of the CA made before; none: self-signed. */
  readonly issuer?: string;
  /** As openssl genpkey knows it. */
  readonly key?: readonly string[];
  readonly digest?: string;
  readonly days?: number;
}

export const CA = [
  'basicConstraints=critical,CA:TRUE',
  'keyUsage=keyCertSign',
  'subjectKeyIdentifier=hash',
];

export const LEAF = [
  'basicConstraints=CA:FALSE',
  'keyUsage=digitalSignature',
  'subjectKeyIdentifier=hash',
  'authorityKeyIdentifier=keyid',
];

const P256 = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'];

export class Certificates {
  readonly directory = mkdtempSync(join(tmpdir(), 'imafs-keys-'));

  /** `NAME.key`, `NAME.pem` and `NAME.der`; gives the path of the last. */
  make(name: string, options: CertificateOptions = {}): string {
    const { subject = `/CN=${name}`, extensions = LEAF, issuer, key = P256 } = options;
    const file = (end: string): string => join(this.directory, `${name}.${end}`);
    const { digest = 'sha256', days = 3650 } = options;
    const config = ['[req]', 'distinguished_name=dn', '[dn]', '[ext]', ...extensions, ''];
    writeFileSync(file('cnf'), config.join('\n'));
    this.#openssl('genpkey', ...key, '-out', file('key'));
    const request = ['-new', '-key', file('key'), '-subj', subject, '-config', file('cnf')];
    const valid = ['-days', String(days), `-${digest}`, '-out', file('pem')];
    if (issuer === undefined) {
      this.#openssl('req', '-x509', ...request, '-extensions', 'ext', ...valid);
    } else {
      this.#openssl('req', ...request, '-out', file('csr'));
      const ca = ['-CA', this.path(`${issuer}.pem`), '-CAkey', this.path(`${issuer}.key`)];
      const made = ['-extfile', file('cnf'), '-extensions', 'ext', ...valid];
      this.#openssl('x509', '-req', '-in', file('csr'), ...ca, '-CAcreateserial', ...made);
    }
    this.#openssl('x509', '-in', file('pem'), '-outform', 'DER', '-out', file('der'));
    return file('der');
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  read(name: string): Buffer {
    return readFileSync(this.path(name));
  }

  remove(): void {
    rmSync(this.directory, { recursive: true });
  }

  #openssl(...words: string[]): void {
    execFileSync('openssl', words, { stdio: ['ignore', 'ignore', 'pipe'] });
  }
}
