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

/**
 * The last writer of the node is dealt with, or its hash given up. `left`: the version he left it at, and
 * which it has with the label that was written then, for which ima_update_xattr hashed it.
 */
export function lastWriterSettled(
  ima: Ima,
  node: number,
  left: { readonly version: number | undefined; readonly labelled: number | undefined } | undefined,
): void {
  const iint = ima.iints.find(node);
  if (iint === undefined) {
    return;
  }
  if (left?.labelled !== undefined) {
    iint.endLabelled(left.labelled, ima.generation);
  } else if (left?.version !== undefined && !iint.isWritten(left.version)) {
    iint.endUnwritten();
  } else {
    ima.iints.forget([node]);
  }
}
