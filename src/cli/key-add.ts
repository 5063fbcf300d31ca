import type { Certificate } from '../keys/certificate.js';
import type { Invocation } from './command.js';
import { connect } from './connect.js';
import type { ControlClient } from './control-client.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { demandNoneRefused, readKeyFiles } from './key-files.js';
import { type KeyReason, notACertificate, showVerdict } from './key-verdict.js';
import { readStatus } from './mount-status.js';
import { UserError } from './user-error.js';

/** `imafs key add`: certificates into `.ima` of a namespace, each admitted or refused by itself. */
export async function keyAdd({ operands, options, output }: Invocation): Promise<ExitCode> {
  const [mountpoint = '', ...names] = operands;
  const client = await connect(mountpoint, options.text('control'));
  const namespace = options.text('ns') ?? client.ownNamespace();
  const files = readKeyFiles(names);
  let refused = 0;
  for (const file of files) {
    const { certificate } = file;
    const reasons = certificate.ok
      ? add(client, namespace, certificate.value)
      : [notACertificate(certificate.problem)];
    if (reasons.length > 0) refused += 1;
    showVerdict(output, 'added', file, reasons);
  }
  demandNoneRefused(refused, files.length);
  return EXIT.ok;
}

/** Why the daemon refused it: nothing if it did not. */
function add(
  client: ControlClient,
  namespace: string,
  { x509 }: Certificate,
): readonly KeyReason[] {
  let reasons: readonly KeyReason[] = [];
  const refusal = new UserError(EXIT.key, 'key-refused', 'refused');
  try {
    client.writeLines(`${namespace}/keys/.ima`, [x509.toString()], (errno) => {
      reasons = reasonsFor(client, namespace, errno);
      return reasons.length === 0 ? undefined : refusal;
    });
  } catch (error) {
    if (error !== refusal) throw error;
  }
  return reasons;
}

/** None for an errno that is not about the certificate. */
function reasonsFor(
  client: ControlClient,
  namespace: string,
  errno: string | undefined,
): readonly KeyReason[] {
  switch (errno) {
    case 'EBADMSG':
    case 'ENOKEY':
    case 'ENOPKG':
    case 'EKEYREJECTED':
      return (readStatus(client, namespace).lastKeyRefusal?.reasons ?? []).map((reason) => ({
        errno,
        ...reason,
      }));
    case 'ENOSPC':
      return [
        {
          errno,
          reason: 'the keyring is full',
          remedy: 'keys are gone with their namespace: begin anew, or put them into keys=DIR',
        },
      ];
    case 'EIO':
      return [
        {
          errno,
          reason: 'it must be measured, and the measurement list took no entry',
          remedy: `imafs doctor, and imafs log verify --ns ${namespace}`,
        },
      ];
    default:
      return [];
  }
}
