import type { NamedFile } from '../labels/named-file.js';
import type { FileOutcome, FileTask } from './file-task.js';

/** Removes security.ima. */
export function clearFile({ dryRun }: FileTask & { kind: 'clear' }, file: NamedFile): FileOutcome {
  const had = dryRun ? file.readLabel() !== undefined : file.removeLabel();
  return { result: had ? 'cleared' : 'no-label' };
}
