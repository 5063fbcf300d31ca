import { createSign, createVerify } from 'node:crypto';

import { fileId } from '../ima/digest/file-id-hash.js';
import { SIGNATURE_HEADER_BYTES, showKeyId } from '../ima/xattr/decode-signature.js';
import { EVM_IMA_XATTR_DIGSIG, IMA_VERITY_DIGSIG } from '../ima/xattr/decode-xattr.js';
import { encodeSignature, type SignatureHeader } from '../ima/xattr/encode-signature.js';
import type { OpenedFile } from '../labels/opened-file.js';
import type { FileContent, Sink } from './file-content.js';
import type { FileOutcome, SignTask } from './file-task.js';

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
  const keyid = showKeyId(keyId);
  if (isSigned(task, header, feed, file.label)) return { result: 'unchanged', keyid };
  if (!dryRun) {
    const signer = createSign(algorithm);
    feed(signer);
    file.setLabel(encodeSignature(header, signer.sign(privateKey)));
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
  const isVerity = form === 'verity';
  const bytes = isVerity ? content.verityDigest(file, algorithm) : content.digest(file, algorithm);
  const signed = bytes && fileId(type, { algorithm, bytes });
  if (signed === undefined) throw new RangeError(`no file id by ${algorithm}`);
  return (sink) => void sink.update(signed);
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
