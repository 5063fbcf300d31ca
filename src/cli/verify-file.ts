import { type Appraisal, appraiseMeasurement } from '../ima/appraise-measurement.js';
import { Keyring } from '../ima/keyring/keyring.js';
import type { Digest } from '../ima/ports.js';
import { keyIdOf, showKeyId } from '../ima/xattr/decode-signature.js';
import { hashAlgorithmOfXattr, IMA_VERITY_DIGSIG } from '../ima/xattr/decode-xattr.js';
import { receivedKey } from '../keys/sent-key.js';
import { FileProblem } from '../labels/file-problem.js';
import type { OpenedFile } from '../labels/opened-file.js';
import type { FileContent } from './file-content.js';
import type { FileFacts, FileOutcome, VerifyTask } from './file-task.js';
import { DEFAULT_ALGORITHM, demandAlgorithm } from './hash-algorithm.js';

const BLACKLISTED: Appraisal = {
  status: 'FAIL',
  cause: 'blacklisted-hash',
  wanted: undefined,
  isSigned: false,
};

/** Says of files what an appraisal in enforce mode would, by the keys it is given. */
export class FileVerifier {
  readonly #keyring = new Keyring();

  constructor(
    private readonly task: VerifyTask,
    private readonly content: FileContent,
  ) {
    for (const key of task.keys) this.#keyring.add(receivedKey(key));
    for (const { kind, digest } of task.blacklist) this.#keyring.addToBlacklist(kind, digest);
  }

  verify(file: OpenedFile): FileOutcome {
    const imaXattr = file.label;
    const isVerity = imaXattr?.[0] === IMA_VERITY_DIGSIG;
    const found = this.#digest(file, imaXattr, isVerity);
    const signature = this.task.demandsSignature ? 'imasig' : undefined;
    const appraisal = appraiseMeasurement({
      file: { ...file.attributes, imaXattr, sizeBytes: file.sizeBytes },
      isNew: false,
      found,
      demands: { signature, verity: isVerity, failsSecurely: false },
      keyring: this.#keyring,
      modsig: undefined,
    });
    file.demandUnchanged();
    // ima_check_blacklist: where a rule wants signatures.
    const isBlacklisted = signature && this.#keyring.isBlacklisted('bin', found.bytes);
    return this.#outcome(isBlacklisted ? BLACKLISTED : appraisal, found, keyIdOf(imaXattr));
  }

  #digest(file: OpenedFile, imaXattr: Buffer | undefined, isVerity: boolean): Digest {
    const algorithm = hashAlgorithmOfXattr(imaXattr, DEFAULT_ALGORITHM);
    if (!isVerity) {
      return { algorithm, bytes: this.content.digest(file, demandAlgorithm(algorithm)) };
    }
    const bytes = this.content.verityDigest(file, algorithm);
    if (bytes === undefined) throw new FileProblem(`fs-verity has no ${algorithm}`);
    return { algorithm, bytes };
  }

  #outcome({ status, cause, wanted }: Appraisal, found: Digest, keyId?: number): FileOutcome {
    const key = keyId === undefined ? undefined : this.#keyring.find(keyId)?.description;
    const facts: FileFacts = {
      digest: shown(found),
      keyid: keyId === undefined ? undefined : showKeyId(keyId),
      key,
    };
    if (status === 'PASS' || status === 'PASS_IMMUTABLE') return { result: 'ok', ...facts };
    const why = { ...facts, cause, wanted: wanted && shown(wanted) };
    return { result: 'failed', ...why, message: explanation(why, this.task.keys.length > 0) };
  }
}

function shown({ algorithm, bytes }: Digest): string {
  return `${algorithm}:${Buffer.from(bytes).toString('hex')}`;
}

/** The kernel's cause, and what it does not say. */
function explanation(
  { cause = 'unknown', digest, wanted, keyid, key }: FileFacts,
  hasKeys: boolean,
): string {
  if (wanted !== undefined) return `${cause}: it is ${digest}, labelled ${wanted}`;
  if (keyid === undefined) return cause;
  if (!hasKeys) return `${cause}: by key ${keyid}, and none is trusted without --keys DIR`;
  return key === undefined
    ? `${cause}: no key ${keyid} among the trusted ones`
    : `${cause}: not what key ${keyid} (${key}) signed`;
}
