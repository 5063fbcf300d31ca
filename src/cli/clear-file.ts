import type { FileOutcome, FileTask } from './file-task.js';
import { readLabel, removeLabel } from './label-file.js';
import type { OpenedFile } from './opened-file.js';

/** Removes security.ima. */
export function clearFile(
  { dryRun }: FileTask & { kind: 'clear' },
  { fd }: OpenedFile,
): FileOutcome {
  const had = dryRun ? readLabel(fd) !== undefined : removeLabel(fd);
  return { result: had ? 'cleared' : 'no-label' };
}
