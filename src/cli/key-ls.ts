import type { Certificate } from '../keys/certificate.js';
import type { Invocation } from './command.js';
import { connect } from './connect.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { columns } from './help.js';
import { keyFields } from './key-fields.js';
import { readMountKeys } from './mount-keys.js';
import { readStatus } from './mount-status.js';

/** `imafs key ls`: the keyrings of a namespace, and what keys=DIR held that is in none. */
export async function keyLs({ operands, options, output }: Invocation): Promise<ExitCode> {
  const client = await connect(operands[0] ?? '', options.text('control'));
  const namespace = options.text('ns') ?? client.ownNamespace();
  const { authorities, trusted, blacklist } = readMountKeys(client, namespace);
  // The whole mount's, which the system's root alone is shown, and once.
  const unadmitted =
    options.text('ns') === undefined ? readStatus(client).mount?.unadmittedKeys : [];

  const lines: string[] = [];
  const show = (keyring: string, certificates: readonly Certificate[]): void => {
    if (certificates.length > 0) lines.push(output.style('bold', keyring));
    for (const certificate of certificates) {
      const fields = keyFields(certificate);
      output.result('key', { keyring, ...fields }, undefined);
      lines.push(
        `  ${fields.keyId ?? NO_ID}  ${fields.algorithm.padEnd(15)}  ${fields.description}`,
      );
    }
  };
  show('.builtin_trusted_keys', authorities);
  show('.ima', trusted);
  if (blacklist.length > 0) lines.push(output.style('bold', '.blacklist'));
  for (const entry of blacklist) {
    output.result('blacklisted', { entry }, undefined);
    lines.push(`  ${entry}`);
  }
  if (unadmitted !== undefined && unadmitted.length > 0) lines.push('not admitted');
  for (const { file, description, reasons } of unadmitted ?? []) {
    output.result('unadmitted', { file, description, reasons }, undefined);
    lines.push(...columns([[file, reasons.join('; ')]]));
  }
  if (!output.json) {
    output.result('keys', {}, lines.length === 0 ? 'no keys' : lines.join('\n'));
  }
  return EXIT.ok;
}

/** A CA may do without: what it signed names it by its subject. */
const NO_ID = '-'.repeat(8);
