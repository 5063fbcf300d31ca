/** What the last close of a written file does to its security.ima (ima_check_last_writer). */
import { LeaseBroken } from '../base/lease-broken.js';
import type { Addon, NativeTransport } from '../binding/addon-types.js';
import type { HashPool } from '../binding/hash-pool.js';
import { checkLastWriter } from '../ima/check-last-writer.js';
import type { Digest, HashAlgorithm } from '../ima/ports.js';
import { encodeXattr } from '../ima/xattr/encode-xattr.js';
import { IMA_XATTR } from './opened-file.js';
import type { Unsettled } from './unsettled.js';

export interface LabelWrittenParts {
  readonly addon: Pick<Addon, 'getXattr'>;
  readonly transport: Pick<NativeTransport, 'version'>;
  readonly pool: Pick<HashPool, 'digest' | 'writeXattr'>;
}

/**
 * Hashes the file and writes security.ima, if a policy that may wants it; resolves with what was
 * hashed. `leased`: fd holds a lease. Rejects with LeaseBroken if a writer came: nothing is written then.
 */
export const labelWritten = async (
  { node, imas, mayLabel, scopes, labelledContent }: Unsettled,
  fd: number,
  leased: boolean,
  { addon, transport, pool }: LabelWrittenParts,
): Promise<Digest | undefined> => {
  const version = transport.version(node);
  if (!mayLabel || version === undefined) return undefined;
  const imaXattr = addon.getXattr(fd, IMA_XATTR);
  const algorithm = firstWanted(
    [...imas].map((ima) => checkLastWriter(ima, { node, version, imaXattr })),
  );
  if (algorithm === undefined) return undefined;

  const [namespace = 0n] = scopes;
  const order = { namespace, node, version, algorithm, fd, leased, shared: false };
  const digest = { algorithm, bytes: await pool.digest(order) };
  if (transport.version(node) !== version) throw new LeaseBroken();
  if (isSame(digest, labelledContent)) return digest;
  const value = encodeXattr(digest);
  if (imaXattr === undefined || Buffer.compare(imaXattr, value) !== 0) {
    await pool.writeXattr({ namespace, fd, name: IMA_XATTR, value, leased });
  }
  return digest;
};

const isSame = (a: Digest, b: Digest | undefined): boolean =>
  a.algorithm === b?.algorithm && Buffer.compare(a.bytes, b.bytes) === 0;

/** The system's policy is asked first, so its algorithm counts. */
const firstWanted = (answers: readonly (HashAlgorithm | undefined)[]): HashAlgorithm | undefined =>
  answers.find((answer) => answer !== undefined);
