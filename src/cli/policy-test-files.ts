import { readSync } from 'node:fs';
import { basename } from 'node:path';

import { errnoOf } from '../base/errno.js';
import { keyIdOf, showKeyId } from '../ima/xattr/decode-signature.js';
import { CrewSignals } from './crew-signals.js';
import { FileContent } from './file-content.js';
import { FileProblem } from './file-problem.js';
import { type FileSystemFacts, fileSystemFacts } from './file-system-facts.js';
import { OpenedFile } from './opened-file.js';
import type { Output } from './output.js';
import { Progress } from './progress.js';
import { TriedFile } from './tried-file.js';
import type { AccessTrial, AccessTrials, TriedAccess } from './try-access.js';
import { shownPath, walkFiles } from './walk-files.js';

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
      const { base, shown, device } = directory;
      const place = { at: base + name, path: shown + name, device, fileSystem };
      const tried = await tryFile(trials, wanted.accesses, content, place);
      if (tried !== undefined) results.push(tried);
      progress.add(signals.bytes - shownBytes);
      shownBytes = signals.bytes;
    }
  }
  progress.clear();
  return results;
}

interface Place {
  /** Where it is opened, and how it is shown; latin1. */
  readonly at: string;
  readonly path: string;
  /** What is mounted over a file of the walk is passed over. */
  readonly device: bigint | undefined;
  readonly fileSystem: FileSystemFacts;
}

async function tryFile(
  trials: AccessTrials,
  accesses: readonly TriedAccess[],
  content: FileContent,
  { at, path, device, fileSystem }: Place,
): Promise<FileTrial | undefined> {
  const shown = shownPath(path);
  let opened: OpenedFile | undefined;
  try {
    opened = OpenedFile.open(at, path, device, true);
    if (opened === undefined) return undefined;
    const file = new TriedFile(opened, content, fileSystem, (tried) => trials.isCompared(tried));
    const head = readHead(opened);
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

function readHead({ fd }: OpenedFile): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  return head.subarray(0, readSync(fd, head, 0, HEAD_BYTES, 0));
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
