import { getHashes } from 'node:crypto';

import { errnoOf } from '../base/errno.js';
import { mountOfPath } from '../base/mountinfo.js';
import { hashAlgorithmByName } from '../ima/digest/hash-algorithms.js';
import { decodeXattr, hashAlgorithmOfXattr, isSignature } from '../ima/xattr/decode-xattr.js';
import { encodeXattr } from '../ima/xattr/encode-xattr.js';
import { absolutePath } from './absolute-path.js';
import type { Invocation } from './command.js';
import { connect, demandAnswers } from './connect.js';
import type { ControlClient } from './control-client.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { clearLabel, FileChanged, hashAndLabel, readLabel } from './label-file.js';
import { IMAFS_TYPE, readMountTable } from './mount-table.js';
import type { Output } from './output.js';
import { Progress } from './progress.js';
import { UserError } from './user-error.js';
import { type FoundFile, walkFiles } from './walk-files.js';

const DEFAULT_ALGORITHM = 'sha256';

type Outcome =
  | { readonly result: 'labelled' | 'unchanged'; readonly digest: string | undefined }
  | { readonly result: 'cleared' | 'no-label' };

/** An operand on a live mount. */
interface LiveOperand {
  readonly client: ControlClient;
  /** Where the operand lies, from the root of the mount, which itself is ''. */
  readonly below: string;
  readonly operand: string;
}

type Treat = (file: FoundFile, onBytes: (bytes: number) => void) => Outcome | Promise<Outcome>;

/** `imafs label hash`: sets security.ima to the digest of what each file holds. */
export function labelHash(invocation: Invocation): Promise<ExitCode> {
  const algorithm = demandAlgorithm(invocation.options.text('algorithm') ?? DEFAULT_ALGORITHM);
  return labelAll(invocation, (live) =>
    live === undefined ? hashHere(algorithm) : hashByDaemon(live, invocation),
  );
}

/** `imafs label clear`: removes security.ima. */
export function labelClear(invocation: Invocation): Promise<ExitCode> {
  const clear: Treat = async ({ fd }) => ({
    result: (await clearLabel(fd)) ? 'cleared' : 'no-label',
  });
  return labelAll(invocation, () => clear);
}

/** Treats every file of every operand; files that fail are told one by one and make the exit code 3. */
async function labelAll(
  { operands, options, output }: Invocation,
  treatmentFor: (live: LiveOperand | undefined) => Treat,
): Promise<ExitCode> {
  const recursive = options.flag('recursive');
  const counts = { done: 0, unchanged: 0, failed: 0 };
  const fail = (path: string, message: string): void => {
    counts.failed += 1;
    output.result('file', { path, result: 'failed', message }, undefined);
    if (!output.json) output.note(`imafs: ${path}: ${message}`);
  };
  for (const operand of operands) await demandAnswers(operand, options.text('control'));
  const total = measure(operands, recursive, output);
  const progress = new Progress(output, total);
  for (const operand of operands) {
    const treat = treatmentFor(await liveMount(operand, options.text('control')));
    for (const file of walkFiles(operand, recursive, fail)) {
      const path = file.path.toString();
      try {
        const outcome = await treat(file, (bytes) => progress.add(bytes));
        const changed = outcome.result === 'labelled' || outcome.result === 'cleared';
        counts[changed ? 'done' : 'unchanged'] += 1;
        output.result('file', { path, ...outcome }, undefined);
      } catch (error) {
        progress.clear();
        fail(path, reason(error));
      }
    }
  }
  progress.clear();
  const text = `${counts.done} changed, ${counts.unchanged} unchanged, ${counts.failed} failed`;
  output.result('summary', counts, text);
  return counts.failed === 0 ? EXIT.ok : EXIT.problems;
}

/** How many bytes there are, for the bar; not worth a walk where nobody sees one. */
function measure(paths: readonly string[], recursive: boolean, output: Output): number | undefined {
  if (output.json || !process.stderr.isTTY) return undefined;
  let bytes = 0;
  for (const path of paths) {
    for (const file of walkFiles(path, recursive, () => undefined)) bytes += file.sizeBytes;
  }
  return bytes;
}

function hashHere(algorithm: string): Treat {
  return async ({ fd }, onBytes) => {
    if (isSignature(await readLabel(fd))) {
      throw new UserError(EXIT.problems, 'has-signature', 'has a signature: clear it first');
    }
    const encode = (bytes: Buffer): Buffer => Buffer.from(encodeXattr({ algorithm, bytes }));
    const { digest, isNew } = await hashAndLabel(fd, algorithm, encode, onBytes);
    return {
      result: isNew ? 'labelled' : 'unchanged',
      digest: `${algorithm}:${digest.toString('hex')}`,
    };
  };
}

/** Below a live mount the daemon hashes and decides, as `label` of the control tree says. */
function hashByDaemon({ client, below, operand }: LiveOperand, { options }: Invocation): Treat {
  if (options.text('algorithm') !== undefined) {
    throw new UserError(
      EXIT.usage,
      'bad-option',
      'on a live mount the algorithm is that of its ima_hash, --algorithm cannot be given',
    );
  }
  return async ({ fd, path, sizeBytes }, onBytes) => {
    const rest = path.subarray(Buffer.byteLength(operand));
    const line = Buffer.concat([Buffer.from(`hash ${below}`), rest]);
    if (line.includes('\n')) {
      throw new UserError(EXIT.problems, 'bad-name', 'has a newline in its name');
    }
    const before = await readLabel(fd);
    client.writeLines('self/label', [line], (code) =>
      code === 'EACCES' || code === 'EPERM'
        ? new UserError(EXIT.problems, 'refused', 'the daemon refused: a policy forbids this label')
        : undefined,
    );
    onBytes(sizeBytes);
    const after = await readLabel(fd);
    const isSame = after !== undefined && before?.equals(after) === true;
    return { result: isSame ? 'unchanged' : 'labelled', digest: shownDigest(after) };
  };
}

/** `algorithm:hex` of a label that is a digest. */
function shownDigest(label: Buffer | undefined): string | undefined {
  const decoded = label === undefined ? undefined : decodeXattr(label);
  if (decoded?.kind !== 'digest') return undefined;
  const algorithm = hashAlgorithmOfXattr(label, DEFAULT_ALGORITHM);
  return `${algorithm}:${Buffer.from(decoded.bytes).toString('hex')}`;
}

async function liveMount(
  operand: string,
  control: string | undefined,
): Promise<LiveOperand | undefined> {
  try {
    const path = absolutePath(operand);
    if (mountOfPath(readMountTable(), path)?.type !== IMAFS_TYPE) return undefined;
    const client = await connect(path, control);
    return { client, below: client.pathBelow(path).replace(/^\/$/, ''), operand };
  } catch (error) {
    // A path that is not there is reported by the walk.
    if (error instanceof UserError && error.code === 'no-such-path') return undefined;
    throw error;
  }
}

function demandAlgorithm(name: string): string {
  // OpenSSL knows all kernel names of what it has, rmd160 among them.
  if (hashAlgorithmByName(name) !== undefined && getHashes().includes(name)) return name;
  throw new UserError(EXIT.usage, 'bad-option', `hash algorithm '${name}' is not available`);
}

function reason(error: unknown): string {
  if (error instanceof FileChanged) return 'changed while it was hashed, not labelled';
  if (error instanceof UserError) return error.message;
  return errnoOf(error) ?? String(error);
}
