import { isSignature } from '../ima/xattr/decode-xattr.js';
import { encodeXattr } from '../ima/xattr/encode-xattr.js';
import { FileProblem } from '../labels/file-problem.js';
import type { OpenedFile } from '../labels/opened-file.js';
import type { FileContent } from './file-content.js';
import type { FileOutcome, FileTask } from './file-task.js';

/** Sets security.ima to the digest of what the file holds, unless it is that already. */
export function hashFile(
  { algorithm, dryRun }: FileTask & { kind: 'hash' },
  content: FileContent,
  file: OpenedFile,
): FileOutcome {
  if (isSignature(file.label)) throw new FileProblem('has a signature: clear it first');
  const bytes = content.digest(file, algorithm);
  const label = encodeXattr({ algorithm, bytes });
  const isNew = file.label?.equals(label) !== true;
  if (isNew && !dryRun) file.setLabel(label);
  const digest = `${algorithm}:${bytes.toString('hex')}`;
  return { result: isNew ? 'labelled' : 'unchanged', digest };
}
