import { createSign, createVerify, hash } from 'node:crypto';

import { createVerityHasher } from '../ima/digest/verity-digest.js';
import { EVM_IMA_XATTR_DIGSIG, IMA_VERITY_DIGSIG } from '../ima/xattr/decode-xattr.js';
import {
  encodeFileId,
  encodeSignature,
  SIGNATURE_HEADER_BYTES,
  type SignatureHeader,
} from '../ima/xattr/encode-signature.js';
import type { FileContent, Sink } from './file-content.js';
import type { FileOutcome, SignTask } from './file-task.js';
import { readLabel, setLabel } from './label-file.js';
import type { OpenedFile } from './opened-file.js';

/** Gives what is signed to a sink, which hashes it. */
type Feed = (sink: Sink) => void;

/** Sets security.ima to a signature, unless it is one of that key and form that verifies. */
export function signFile(task: SignTask, content: FileContent, file: OpenedFile): FileOutcome {
  const { algorithm, form, keyId, privateKey, dryRun } = task;
  const header: SignatureHeader = {
    type: form === 'verity' ? IMA_VERITY_DIGSIG : EVM_IMA_XATTR_DIGSIG,
    version: form === 'v2' ? 2 : 3,
    algorithm,
    keyId,
  };
  const feed = feedOf(task, header, content, file);
  const keyid = keyId.toString(16).padStart(8, '0');
  if (isSigned(task, header, feed, readLabel(file.fd))) return { result: 'unchanged', keyid };
  if (!dryRun) {
    const signer = createSign(algorithm);
    feed(signer);
    const label = encodeSignature(header, signer.sign(privateKey));
    file.demandUnchanged();
    setLabel(file.fd, label);
  }
  return { result: 'labelled', keyid };
}

/** Of version 2 the content itself; of version 3 what says of which kind the digest is. */
function feedOf(
  { algorithm, form }: SignTask,
  { type }: SignatureHeader,
  content: FileContent,
  file: OpenedFile,
): Feed {
  if (form === 'v2') {
    return (sink) => {
      content.feed(file, sink);
    };
  }
  const bytes =
    form === 'v3' ? content.digest(file, algorithm) : verityDigest(algorithm, content, file);
  const fileId = encodeFileId(type, { algorithm, bytes });
  return (sink) => void sink.update(fileId);
}

function verityDigest(algorithm: string, content: FileContent, file: OpenedFile): Uint8Array {
  const hasher = createVerityHasher(algorithm, (bytes) => hash(algorithm, bytes, 'buffer'));
  if (hasher === undefined) throw new RangeError(`fs-verity has no ${algorithm}`);
  content.feed(file, hasher);
  return hasher.digest();
}

function isSigned(
  { algorithm, publicKey }: SignTask,
  header: SignatureHeader,
  feed: Feed,
  label: Buffer | undefined,
): boolean {
  const signature = label?.subarray(SIGNATURE_HEADER_BYTES);
  if (label === undefined || signature === undefined) return false;
  if (!label.equals(encodeSignature(header, signature))) return false;
  const verifier = createVerify(algorithm);
  feed(verifier);
  return verifier.verify(publicKey, signature);
}
