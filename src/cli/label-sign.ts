import { createSign } from 'node:crypto';

import type { Invocation } from './command.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import type { FileTask, SignatureForm } from './file-task.js';
import { DEFAULT_ALGORITHM, demandAlgorithm } from './hash-algorithm.js';
import { labelTrees } from './label.js';
import { liveMount } from './live-mount.js';
import { type SigningKey, signingKey } from './signing-key.js';
import { UserError } from './user-error.js';

/** What fs-verity can compute (include/uapi/linux/fsverity.h). */
const VERITY_ALGORITHMS: readonly string[] = ['sha256', 'sha512'];

/** `imafs label sign`: sets security.ima to a signature of each file. */
export async function labelSign(invocation: Invocation): Promise<ExitCode> {
  const { options, operands } = invocation;
  const algorithm = demandAlgorithm(options.text('algorithm') ?? DEFAULT_ALGORITHM);
  const form = formOf(invocation, algorithm);
  const key = signingKey(options);
  demandSignable(key, algorithm);
  const dryRun = options.flag('dry-run');
  const tasks: FileTask[] = [];
  for (const operand of operands) {
    const onMount = (await liveMount(operand, options.text('control'))) !== undefined;
    tasks.push({ kind: 'sign', algorithm, form, ...key, dryRun, onMount });
  }
  return labelTrees(invocation, tasks);
}

function formOf({ options }: Invocation, algorithm: string): SignatureForm {
  if (!options.flag('veritysig')) return options.flag('v3') ? 'v3' : 'v2';
  if (VERITY_ALGORITHMS.includes(algorithm)) return 'verity';
  const known = VERITY_ALGORITHMS.join(' or ');
  throw new UserError(EXIT.usage, 'bad-option', `--veritysig takes ${known}, not ${algorithm}`);
}

/** Not every digest has a name in PKCS#1, nor does each fit into a short key. */
function demandSignable({ privateKey }: SigningKey, algorithm: string): void {
  try {
    createSign(algorithm).sign(privateKey);
  } catch {
    const message = `this key cannot sign a digest of ${algorithm}`;
    throw new UserError(EXIT.usage, 'bad-option', message, ['--algorithm sha256']);
  }
}
