import { failure, type Result, success } from '../base/result.js';
import { type Certificate, parseCertificate } from './certificate.js';

/** RFC 7468; other blocks of a file, private keys say, are none of ours. */
const PEM_BLOCK =
  /-----BEGIN (?:X509 )?CERTIFICATE-----([^-]*)-----END (?:X509 )?CERTIFICATE-----/g;

/** What a file holds: one certificate in DER, or any number in PEM. The problem is a sentence. */
export function certificatesIn(content: Uint8Array): Result<readonly Certificate[], string> {
  const text = Buffer.from(content).toString('latin1');
  if (!text.includes('-----BEGIN ')) {
    const parsed = parseCertificate(content);
    return parsed.ok ? success([parsed.value]) : failure(`no certificate: ${parsed.problem}`);
  }
  const certificates: Certificate[] = [];
  for (const [index, [, base64 = '']] of [...text.matchAll(PEM_BLOCK)].entries()) {
    const parsed = parseCertificate(Buffer.from(base64, 'base64'));
    if (!parsed.ok) {
      return failure(`no certificate in PEM block ${index + 1}: ${parsed.problem}`);
    }
    certificates.push(parsed.value);
  }
  return certificates.length === 0
    ? failure('no certificate among the PEM blocks')
    : success(certificates);
}
