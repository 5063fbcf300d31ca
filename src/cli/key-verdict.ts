import { type KeyFacts, keyFields } from './key-fields.js';
import type { KeyFile } from './key-files.js';
import type { Output } from './output.js';

/** Why a certificate is refused, with the errno of add_key(2). */
export type KeyReason = {
  readonly errno: string;
  readonly reason: string;
  readonly remedy: string;
};

/** Shows what became of one certificate; without reasons against it, it was let in. */
export function showVerdict(
  output: Output,
  word: 'added' | 'admitted',
  { file, certificate }: KeyFile,
  reasons: readonly KeyReason[],
  note?: string,
): void {
  const facts = certificate.ok ? keyFields(certificate.value) : undefined;
  const isLetIn = reasons.length === 0;
  const verdict = isLetIn ? output.style('green', word) : output.style('red', 'refused');
  const lines = [
    `${file}: ${verdict}${facts === undefined ? '' : ` ${shown(facts)}`}`,
    ...reasons.map(({ errno, reason, remedy }) => `  ${errno}: ${reason}\n    remedy: ${remedy}`),
    ...(note === undefined ? [] : [`  note: ${note}`]),
  ];
  output.result('key', { file, ...facts, [word]: isLetIn, reasons, note }, lines.join('\n'));
}

function shown({ keyId, description, algorithm }: KeyFacts): string {
  return `${keyId ?? 'no key id'} ${description} (${algorithm})`;
}

/** What is no certificate is refused as by add_key(2). */
export function notACertificate(problem: string): KeyReason {
  const remedy = 'an X.509 certificate in DER or PEM is wanted: openssl x509 -in FILE -text';
  return { errno: 'EBADMSG', reason: problem, remedy };
}
