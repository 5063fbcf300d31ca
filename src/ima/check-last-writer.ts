import { IMA_DIGSIG, IMA_HASHED, IMA_UPDATE_XATTR } from './iint.js';
import type { Ima } from './ima.js';
import type { HashAlgorithm } from './ports.js';
import { isSignature } from './xattr/decode-xattr.js';

/** A file whose last writer has gone, as it is now. */
export interface SettledFile {
  readonly node: number;
  readonly version: number;
  /** security.ima */
  readonly imaXattr: Uint8Array | undefined;
}

/**
 * ima_check_last_writer and ima_update_xattr (ima_main.c, ima_appraise.c): the algorithm with which
 * security.ima is to be written now, or undefined where it stays as it is. Changes nothing, so that
 * it can be asked again if the writing was interrupted; end with `lastWriterSettled`.
 */
export function checkLastWriter(ima: Ima, file: SettledFile): HashAlgorithm | undefined {
  const iint = ima.iints.find(file.node);
  // The kernel looks at ima_file_status here; ours was looked at when the writer opened (only an
  // open that passed sets IMA_UPDATE_XATTR), so that no reader in between can take the hash away.
  const isSigned = isSignature(file.imaXattr) || iint?.has(IMA_DIGSIG);
  if (!iint?.has(IMA_UPDATE_XATTR | IMA_HASHED) || isSigned) {
    return undefined;
  }
  // A hash rule collects nothing, so that the kernel finds no version to compare with.
  const neverCollected = iint.has(IMA_HASHED) && !iint.isCollected(file.version);
  return iint.isWritten(file.version) || neverCollected ? ima.hashAlgorithm : undefined;
}

/** A file that nobody can write any more. */
export interface LeftFile {
  /** What its last writer left it at. */
  readonly version: number;
  /** The version it has from now on. */
  readonly now: number;
  /** ima_update_xattr hashed it, and wrote its label. */
  readonly isLabelled: boolean;
}

/** The last writer of the node is dealt with, or its hash given up; undefined: nothing is known of the file. */
export function lastWriterSettled(ima: Ima, node: number, left: LeftFile | undefined): void {
  const iint = ima.iints.find(node);
  if (left?.isLabelled) {
    iint?.endLabelled(left.now, ima.generation);
  } else if (left && iint?.isWritten(left.version) === false) {
    iint.endUnwritten(left.now);
  } else {
    ima.iints.forget([node]);
  }
}
