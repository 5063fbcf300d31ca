import { isSignature } from '../ima/xattr/decode-xattr.js';
import { encodeXattr } from '../ima/xattr/encode-xattr.js';
import type { FileContent } from './file-content.js';
import { FileProblem } from './file-problem.js';
import type { FileOutcome, FileTask } from './file-task.js';
import { readLabel, setLabel } from './label-file.js';
import type { OpenedFile } from './opened-file.js';

/** Sets security.ima to the digest of what the file holds, unless it is that already. */
export function hashFile(
  { algorithm, dryRun }: FileTask & { kind: 'hash' },
  content: FileContent,
  file: OpenedFile,
): FileOutcome {
  const before = readLabel(file.fd);
  if (isSignature(before)) throw new FileProblem('has a signature: clear it first');
  const bytes = content.digest(file, algorithm);
  const label = encodeXattr({ algorithm, bytes });
  const isNew = before?.equals(label) !== true;
  if (isNew) {
    file.demandUnchanged();
    if (!dryRun) setLabel(file.fd, label);
  }
  const digest = `${algorithm}:${bytes.toString('hex')}`;
  return { result: isNew ? 'labelled' : 'unchanged', digest };
}
