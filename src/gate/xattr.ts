/**
 * Reading security.ima and security.evm of an unsettled file, and changing them. Both answer with an
 * errno, 0 to go ahead.
 */
import type { AuditLog } from '../audit/audit-log.js';
import { type ErrnoName, errnoNumber } from '../base/errno.js';
import type { XattrChangeUpcall, XattrReadUpcall } from '../binding/addon-types.js';
import { evmInodeSetxattr } from '../ima/evm-inode-setxattr.js';
import { inodeSetxattr, validateHashAlgorithm } from '../ima/inode-setxattr.js';
import type { Paths } from '../namespaces/paths.js';
import type { Judge, Registry } from '../namespaces/registry.js';
import type { Denials } from './denials.js';
import { HeldAudit } from './held-audit.js';
import { IMA_XATTR } from './opened-file.js';
import type { Settling } from './settling.js';

export interface XattrParts {
  readonly registry: Pick<Registry, 'judges' | 'known'>;
  readonly settling: Pick<Settling, 'settlePatiently' | 'vouched'>;
  readonly audit: Pick<AuditLog, 'forAccess'>;
  readonly denials: Pick<Denials, 'record'>;
  readonly paths: Pick<Paths, 'ofSystem' | 'ofCaller'>;
  /** Whether files can be hashed with a kernel algorithm. */
  readonly canHash: (algorithm: string) => boolean;
}

export class XattrHandler {
  constructor(private readonly parts: XattrParts) {}

  /** The reader is to see the hash that the last close wrote; settling writes nothing else. */
  async read({ node, name }: XattrReadUpcall): Promise<number> {
    if (name === IMA_XATTR) await this.parts.settling.settlePatiently(node);
    return 0;
  }

  /** Every policy that judges the caller must let it pass. */
  async change(upcall: XattrChangeUpcall): Promise<number> {
    const { node, name, file, caller } = upcall;
    const isIma = name === IMA_XATTR;
    // Settling afterwards would overwrite what is set here.
    if (isIma) await this.parts.settling.settlePatiently(node);
    for (const judge of await this.parts.registry.judges(caller)) {
      const errno = isIma ? await this.#askForIma(judge, upcall) : askForEvm(judge, upcall);
      if (errno !== undefined) return this.#refuse(judge, upcall, errno);
    }
    // Whoever else has judged the file has judged another one (IMA_CHANGE_XATTR is the inode's).
    for (const namespace of this.parts.registry.known()) namespace.resetResults(node);
    if (isIma) this.parts.settling.vouched(node, file.ino);
    return 0;
  }

  async #askForIma(judge: Judge, upcall: XattrChangeUpcall): Promise<ErrnoName | undefined> {
    const { node, value, caller, path, file } = upcall;
    const records = new HeldAudit();
    const errno = inodeSetxattr(judge.ima, records, {
      node,
      value,
      capSysAdmin: caller.credentials.capSysAdmin,
      isAvailable: this.parts.canHash,
    });
    if (!records.isEmpty) {
      const access = this.parts.audit.forAccess({
        namespace: judge.scope.name,
        caller,
        path, // dentry_path: from the root of the file system
        device: file.device,
        ino: file.ino,
      });
      records.releaseTo(access);
      await access.settled();
    }
    return errno;
  }

  async #refuse(judge: Judge, upcall: XattrChangeUpcall, errno: ErrnoName): Promise<number> {
    await this.parts.denials.record({
      operation: upcall.value === undefined ? 'removexattr' : 'setxattr',
      judge: judge.namespace,
      scope: judge.scope,
      caller: upcall.caller,
      path: upcall.path,
      hook: 'SETXATTR_CHECK',
      cause: causeOf(judge, upcall, errno, this.parts.canHash),
      errno,
    });
    return errnoNumber(errno);
  }
}

const askForEvm = (
  { ima }: Judge,
  { node, value, caller }: XattrChangeUpcall,
): ErrnoName | undefined => {
  const { capSysAdmin } = caller.credentials;
  return evmInodeSetxattr(ima, { node, value, capSysAdmin });
};

/** What the kernel would record, where it records anything. */
const causeOf = (
  { ima }: Judge,
  { value }: XattrChangeUpcall,
  errno: ErrnoName,
  canHash: XattrParts['canHash'],
): string => {
  const cause = errno === 'EACCES' && value && validateHashAlgorithm(ima, value, canHash);
  return cause || 'set_data';
};
