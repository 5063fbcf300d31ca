import { basename } from 'node:path';

import { errnoOf } from '../base/errno.js';
import { keyIdOf, showKeyId } from '../ima/xattr/decode-signature.js';
import { FileProblem } from '../labels/file-problem.js';
import { OpenedFile } from '../labels/opened-file.js';
import { shownPath, type WalkedDirectory, walkFiles } from '../labels/walk-files.js';
import { CrewSignals } from './crew-signals.js';
import { FileContent } from './file-content.js';
import { type FileSystemFacts, fileSystemFacts } from './file-system-facts.js';
import type { Output } from './output.js';
import { Progress } from './progress.js';
import { TriedFile } from './tried-file.js';
import type { AccessTrial, AccessTrials, TriedAccess } from './try-access.js';

const HEAD_BYTES = 4096;

/** What a policy would do about one file. */
export interface FileTrial {
  readonly path: string;
  readonly trials: readonly AccessTrial[];
  /** Of the signature in its label. */
  readonly keyId: string | undefined;
  /** Why it could not be looked at. */
  readonly problem?: string | undefined;
}

export interface FilesToTry {
  readonly operands: readonly string[];
  readonly recursive: boolean;
  readonly accesses: readonly TriedAccess[];
  readonly control: string | undefined;
  readonly output: Output;
}

/** Tries the accesses on every file that the operands name. */
export async function tryFiles(trials: AccessTrials, wanted: FilesToTry): Promise<FileTrial[]> {
  const signals = new CrewSignals();
  const content = new FileContent(signals);
  const progress = new Progress(wanted.output, undefined);
  const results: FileTrial[] = [];
  let shownBytes = 0;
  for (const operand of wanted.operands) {
    let fileSystem: FileSystemFacts | undefined;
    for (const found of walkFiles(operand, wanted.recursive)) {
      if (found.kind === 'problem') {
        results.push(failed(shownPath(found.path), found.message));
        continue;
      }
      fileSystem ??= await fileSystemFacts(operand, wanted.control);
      const { directory, name } = found;
      const tried = await tryFile(trials, wanted.accesses, content, {
        directory,
        name,
        fileSystem,
      });
      if (tried !== undefined) results.push(tried);
      progress.add(signals.bytes - shownBytes);
      shownBytes = signals.bytes;
    }
  }
  progress.clear();
  return results;
}

interface Place {
  readonly directory: WalkedDirectory;
  /** latin1 */
  readonly name: string;
  readonly fileSystem: FileSystemFacts;
}

async function tryFile(
  trials: AccessTrials,
  accesses: readonly TriedAccess[],
  content: FileContent,
  { directory, name, fileSystem }: Place,
): Promise<FileTrial | undefined> {
  const shown = shownPath(directory.shown + name);
  let opened: OpenedFile | undefined;
  try {
    opened = OpenedFile.open(directory, name, content.beginning);
    if (opened === undefined) return undefined;
    const file = new TriedFile(opened, content, fileSystem, (tried) => trials.isCompared(tried));
    const head = opened.beginning.subarray(0, HEAD_BYTES);
    const results: AccessTrial[] = [];
    for (const access of accesses) {
      const isExecutable = (file.mode & 0o111) !== 0;
      if (access === 'execute' && !isExecutable) continue;
      results.push(await trials.try(access, file, basename(shown), head));
    }
    opened.demandUnchanged();
    const keyId = keyIdOf(file.imaXattr);
    return {
      path: shown,
      trials: results,
      keyId: keyId === undefined ? undefined : showKeyId(keyId),
    };
  } catch (error) {
    return failed(shown, reason(error));
  } finally {
    opened?.close();
  }
}

function failed(path: string, problem: string): FileTrial {
  return { path, trials: [], keyId: undefined, problem };
}

function reason(error: unknown): string {
  if (error instanceof FileProblem) return error.message;
  const code = errnoOf(error);
  if (code === undefined) throw error;
  return code === 'EACCES' ? 'EACCES: a policy in force, or its mode, refuses reading it' : code;
}
